//! A file system of its own: an image or memory, mounted as long as it is looked at.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Programs that mount and unmount, beside one that can call `ioctl`.
const TOOLS: [&str; 4] = ["mkfs.ext4", "mount", "umount", "losetup"];

/// `EXT4_IOC_SHUTDOWN`: from this moment on nothing reaches the image, as if the power had gone;
/// 2 is without flushing the journal first. Without unsafe code of ours, another program calls it.
const SHUTDOWN: [(&str, &str, &str); 2] = [
    (
        "perl",
        "-e",
        r#"my $how = pack("L", 2); open(my $there, "<", $ARGV[0]) or die $!; ioctl($there, 0x8004587D, $how) or die $!;"#,
    ),
    (
        "python3",
        "-c",
        "import fcntl, os, struct, sys; fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack('I', 2))",
    ),
];

/// Why a program cannot have a mount table of its own here, if so.
pub(super) fn missing_namespace() -> Option<String> {
    let tried = call("unshare", &["--mount", "--propagation", "private", "true"]);
    tried.err().map(|reason| format!("nothing may be mounted here: {reason}"))
}

/// Why no volume can be mounted here, if so.
pub(super) fn missing() -> Option<String> {
    let found = |program: &&str| says(program, &["--version"]) || says(program, &["-V"]);
    if let Some(tool) = TOOLS.iter().find(|tool| !found(tool)) {
        return Some(format!("{tool} is not here"));
    }
    if !SHUTDOWN.iter().any(|(program, ..)| found(program)) {
        return Some("neither perl nor python3 is here to call ioctl".to_owned());
    }
    // What is allowed is seen by trying it: root is not enough in a container.
    let tried = Volume::ext4("try", 8).and_then(|volume| volume.shut_down());
    tried.err().map(|reason| format!("no file system can be mounted: {reason}"))
}

/// Whether strace is here and may follow a program.
pub(super) fn has_strace() -> bool {
    says("strace", &["-f", "-qq", "-o", "/dev/null", "-e", "inject=fdatasync:error=EIO", "true"])
}

fn says(program: &str, words: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn call(program: &str, words: &[&str]) -> Result<(), String> {
    let output = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .output()
        .map_err(|cause| format!("cannot run {program}: {cause}"))?;
    if output.status.success() {
        return Ok(());
    }
    let talk = String::from_utf8_lossy(&output.stderr);
    Err(format!("{program} {}: {}", words.join(" "), talk.trim()))
}

/// Where something is mounted; it is unmounted at the latest when this is dropped.
#[derive(Debug)]
struct Mounted(PathBuf);

impl Mounted {
    /// Memory of this size.
    fn memory(place: &Path, kilobytes: u64) -> Result<Self, String> {
        Self::new(place, &["-t", "tmpfs", "-o", &format!("size={kilobytes}k"), "none"])
    }

    fn new(place: &Path, words: &[&str]) -> Result<Self, String> {
        std::fs::create_dir_all(place)
            .map_err(|cause| format!("cannot make {}: {cause}", place.display()))?;
        let shown = place.to_string_lossy();
        call("mount", &[words, &[&*shown]].concat())?;
        Ok(Self(place.to_owned()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let place = self.0.to_string_lossy();
        // Whatever still has a file open there: it is gone from the tree at once.
        if call("umount", &[&*place]).is_err() {
            let _ = call("umount", &["-l", &*place]);
        }
    }
}

/// A folder of ours that goes away with what is in it.
#[derive(Debug)]
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A mounted file system. Fields are dropped in this order: inner mount, outer mount, folder.
#[derive(Debug)]
pub(super) struct Volume {
    inner: Option<Mounted>,
    /// The memory that an image lies in, if it is kept short.
    outer: Option<Mounted>,
    folder: Folder,
}

impl Volume {
    /// ext4 on an image of this size.
    pub(super) fn ext4(name: &str, megabytes: u64) -> Result<Self, String> {
        let mut volume = Self { inner: None, outer: None, folder: folder(name)? };
        volume.format(megabytes)?;
        Ok(volume)
    }

    /// Memory of this size, without an image.
    pub(super) fn memory(name: &str, kilobytes: u64) -> Result<Self, String> {
        let folder = folder(name)?;
        let inner = Mounted::memory(&folder.0.join("there"), kilobytes)?;
        Ok(Self { inner: Some(inner), outer: None, folder })
    }

    /// ext4 that believes to have 64 MiB, on an image in memory that has less.
    pub(super) fn thin(name: &str, kilobytes: u64) -> Result<Self, String> {
        let folder = folder(name)?;
        let outer = Mounted::memory(&folder.0.join("below"), kilobytes)?;
        let mut volume = Self { inner: None, outer: Some(outer), folder };
        volume.format(64)?;
        Ok(volume)
    }

    fn image(&self) -> PathBuf {
        let below = self.outer.as_ref().map_or(&self.folder.0, |outer| &outer.0);
        below.join("image")
    }

    fn format(&mut self, megabytes: u64) -> Result<(), String> {
        let image = self.image();
        let sparse = std::fs::File::create(&image).and_then(|file| file.set_len(megabytes << 20));
        sparse.map_err(|cause| format!("cannot make {}: {cause}", image.display()))?;
        call("mkfs.ext4", &["-q", "-F", "-m", "0", &image.to_string_lossy()])?;
        self.mount()
    }

    fn mount(&mut self) -> Result<(), String> {
        let image = self.image();
        let words = ["-t", "ext4", "-o", "loop", &*image.to_string_lossy()];
        self.inner = Some(Mounted::new(&self.folder.0.join("there"), &words)?);
        Ok(())
    }

    /// The folder in which the store is.
    pub(super) fn store(&self) -> PathBuf {
        self.folder.0.join("there").join("store")
    }

    /// A file that takes space until it is removed.
    pub(super) fn ballast(&self) -> PathBuf {
        self.folder.0.join("there").join("ballast")
    }

    /// Cuts the power: nothing that was not synced reaches the image.
    pub(super) fn shut_down(&self) -> Result<(), String> {
        let place = self.folder.0.join("there");
        let place = place.to_string_lossy();
        let mut last = Err("no program".to_owned());
        for (program, flag, text) in SHUTDOWN {
            last = call(program, &[flag, text, &*place]);
            if last.is_ok() {
                break;
            }
        }
        last
    }

    /// Unmounts and mounts again, so that the file system recovers from its own journal and
    /// nothing of it is left in memory.
    pub(super) fn start_again(&mut self) -> Result<(), String> {
        self.inner = None;
        self.mount()
    }

    /// Gives the memory below the image enough room.
    pub(super) fn grow(&self) -> Result<(), String> {
        let Some(outer) = &self.outer else { return Ok(()) };
        call("mount", &["-o", "remount,size=128m", &outer.0.to_string_lossy()])
    }
}

fn folder(name: &str) -> Result<Folder, String> {
    let path = std::env::temp_dir().join(format!("foundation-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&path)
        .map_err(|cause| format!("cannot make {}: {cause}", path.display()))?;
    Ok(Folder(path))
}
