//! A file replaced as a whole.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Replaces the file at `path`, which may be missing, by what `f` makes of its bytes. Whoever is killed in the middle
/// leaves the old one, and perhaps a temporary file beside it. The file keeps its permissions.
pub fn edit(path: &str, f: &dyn Fn(&[u8]) -> Vec<u8>) -> io::Result<()> {
    let path = Path::new(path);
    let (old, mode) = match fs::read(path) {
        Ok(old) => (old, Some(fs::metadata(path)?.permissions().mode() & 0o7777)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (Vec::new(), None),
        Err(error) => return Err(error),
    };
    let temporary = beside(path);
    let written = write(&temporary, &f(&old), mode).and_then(|()| fs::rename(&temporary, path));
    if let Err(error) = written {
        // The first error is the one to tell.
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    // A rename lasts once its folder is written.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    name.into()
}

fn write(path: &Path, bytes: &[u8], mode: Option<u32>) -> io::Result<()> {
    // One that is left over from a process with our number.
    let _ = fs::remove_file(path);
    let first_mode = if mode.is_some() { 0o600 } else { 0o644 };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(first_mode).open(path)?;
    if let Some(mode) = mode {
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_keeps_its_mode() {
        let folder = std::env::temp_dir().join(format!("staywire-file-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join("a.conf");
        let text = path.to_str().expect("it is text");
        edit(text, &|old| [old, b"1"].concat()).expect("a new file");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("its mode");
        edit(text, &|old| [old, b"2"].concat()).expect("the same file");
        assert_eq!(fs::read(&path).expect("it is there"), b"12");
        assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&folder).expect("it is there").count(), 1);
        assert!(edit(folder.to_str().expect("it is text"), &|_| Vec::new()).is_err());
        fs::remove_dir_all(&folder).expect("it goes");
    }
}
