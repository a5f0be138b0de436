//! Floor 4: the forms in which data leaves the server and comes back: no files, no sockets.

pub mod rdb;
