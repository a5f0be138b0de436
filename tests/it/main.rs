//! The integration tests, as one binary: a module for each family of commands or feature.

mod expire;
mod keys;
mod strings;
mod support;
