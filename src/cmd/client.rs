//! CLIENT
pub fn check_name(_n: &[u8]) -> Result<(), crate::command::CmdError> {
    Ok(())
}
