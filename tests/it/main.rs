//! The commands as clients see them, without sockets and with a clock that the test moves.

mod blocking;
mod lists;
mod pubsub;
mod transactions;
