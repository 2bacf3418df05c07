//! Peers that Debian packages: looked for in the standard library folders and run preloaded.
//!
//! A library is found by its soname, so that what runs is what any program on this computer would
//! be given under `LD_PRELOAD`. Its version is that of the package that owns the file, or the
//! file's own name where dpkg knows nothing of it.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders to look into instead of the standard ones, separated by colons.
const FOLDERS_VARIABLE: &str = "ARENABENCH_LIBRARY_DIRS";

/// What dpkg knows: one stanza per package, and one list of files each.
const DPKG: &str = "/var/lib/dpkg";

/// A peer that is a library file of a package.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Installed {
    /// Name of the subject.
    pub(crate) name: &'static str,
    /// Debian's package.
    pub(crate) package: &'static str,
    /// File name by which programs ask for it.
    pub(crate) soname: &'static str,
    /// One line for `list`.
    pub(crate) description: &'static str,
    /// Whether the quick profile has it.
    pub(crate) quick: bool,
}

/// All of them, in the order in which they are listed.
pub(crate) static ALL: [Installed; 4] = [
    Installed {
        name: "tcmalloc",
        package: "libtcmalloc-minimal4",
        soname: "libtcmalloc_minimal.so.4",
        description: "tcmalloc of gperftools, Debian's, preloaded",
        quick: true,
    },
    Installed {
        name: "mimalloc-2",
        package: "libmimalloc2.0",
        soname: "libmimalloc.so.2",
        description: "mimalloc 2, Debian's, preloaded",
        quick: true,
    },
    Installed {
        name: "jemalloc-debian",
        package: "libjemalloc2",
        soname: "libjemalloc.so.2",
        description: "jemalloc, Debian's, preloaded",
        quick: true,
    },
    Installed {
        name: "tbbmalloc",
        package: "libtbbmalloc2",
        soname: "libtbbmalloc_proxy.so.2",
        description: "tbbmalloc of oneTBB, Debian's, preloaded",
        quick: false,
    },
];

impl Installed {
    /// Where the library is, or would be looked for first where it is not installed.
    pub(crate) fn path(&self) -> PathBuf {
        let mut places = folders().into_iter().map(|folder| folder.join(self.soname));
        let first = places.next().unwrap_or_else(|| PathBuf::from(self.soname));
        if first.is_file() { first } else { places.find(|path| path.is_file()).unwrap_or(first) }
    }

    /// Version of the library at `path`: the package's, if the package owns that very file.
    pub(crate) fn version(&self, path: &Path) -> String {
        let file = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        match package_version(Path::new(DPKG), self.package, &file) {
            Some(version) => format!("{version} of {}", self.package),
            None => file.file_name().unwrap_or(OsStr::new(self.soname)).to_string_lossy().into(),
        }
    }

    /// What to do to have it.
    pub(crate) fn remedy(&self) -> String {
        format!("`apt-get install {}`", self.package)
    }
}

/// Folders that libraries are looked for in, in this order.
fn folders() -> Vec<PathBuf> {
    if let Some(folders) = env::var_os(FOLDERS_VARIABLE) {
        return env::split_paths(&folders).collect();
    }
    let multiarch = format!("{}-linux-gnu", env::consts::ARCH);
    [format!("/usr/lib/{multiarch}"), format!("/lib/{multiarch}")]
        .into_iter()
        .chain(["/usr/lib64", "/lib64", "/usr/lib", "/lib", "/usr/local/lib"].map(str::to_owned))
        .map(PathBuf::from)
        .collect()
}

/// Version of `package` in dpkg's records, if it owns `file`.
fn package_version(dpkg: &Path, package: &str, file: &Path) -> Option<String> {
    let lists = dpkg.join("info");
    let names = [format!("{package}.list"), format!("{package}:{}.list", debian_architecture())];
    let owned = names.iter().find_map(|name| fs::read_to_string(lists.join(name)).ok())?;
    // The list may name the file by a folder that is a link, such as /lib for /usr/lib.
    let same = |line: &str| Path::new(line).canonicalize().is_ok_and(|listed| listed == file);
    let name = file.file_name()?.to_str()?;
    if !owned.lines().any(|line| line.ends_with(name) && same(line)) {
        return None;
    }
    let status = fs::read_to_string(dpkg.join("status")).ok()?;
    let stanza = status.split("\n\n").find(|stanza| {
        stanza.lines().next().and_then(|line| line.strip_prefix("Package: ")) == Some(package)
    })?;
    let version = stanza.lines().find_map(|line| line.strip_prefix("Version: "))?;
    Some(version.to_owned())
}

/// Debian's name of the architecture this program was built for.
fn debian_architecture() -> &'static str {
    match env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(folder: &Path, file: &Path) {
        fs::create_dir(folder.join("info")).unwrap();
        let list = format!("/.\n/usr\n{}\n", file.display());
        fs::write(folder.join("info/libx1.list"), list).unwrap();
        let status = "Package: libx\nVersion: 9\n\nPackage: libx1\nStatus: ok\nVersion: 2.1-3\n";
        fs::write(folder.join("status"), status).unwrap();
    }

    #[test]
    fn the_version_is_that_of_the_package_that_owns_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let (own, other) = (root.join("libx.so.1"), root.join("sub"));
        fs::create_dir(&other).unwrap();
        let other = other.join("libx.so.1");
        fs::write(&own, "").unwrap();
        fs::write(&other, "").unwrap();
        records(&root, &own);
        assert_eq!(package_version(&root, "libx1", &own), Some("2.1-3".to_owned()));
        assert_eq!(package_version(&root, "libx1", &other), None, "a copy from elsewhere");
        assert_eq!(package_version(&root, "liby", &own), None);
    }

    #[test]
    fn a_file_no_package_owns_goes_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("libtcmalloc_minimal.so.4.9.9");
        let link = folder.path().join("libtcmalloc_minimal.so.4");
        fs::write(&real, "").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert_eq!(ALL[0].version(&link), "libtcmalloc_minimal.so.4.9.9");
    }
}
