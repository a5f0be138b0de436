//! Floor 1: RESP, the protocol: requests out of bytes, replies into bytes.
//!
//! Source: <https://valkey.io/topics/protocol/>.

pub mod error;
pub mod output;
pub mod reply;
pub mod request;

/// The protocol version of a connection, as HELLO chooses it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Proto {
    #[default]
    Resp2,
    Resp3,
}
