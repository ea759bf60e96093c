//! Two copies of a store that went on by themselves, and files of one in the other.

use foundation_store::journal::{Journal, Mode, verify_store};

use super::super::simulated::SimulatedDisk;
use super::forged::Image;
use super::resumed::{check_answers, fill, resume};
use super::wait;

/// What a store of this image has once it went on with these records.
fn gone_on(image: &Image, numbers: std::ops::Range<usize>) -> Image {
    let disk = SimulatedDisk::of_image(image);
    let opened = resume(&disk, Mode::Write).expect("opens");
    fill(&opened.journal, numbers);
    wait(opened.journal.close()).expect("closes");
    disk.image()
}

#[test]
fn an_index_of_the_other_copy_answers_nothing_and_nothing_is_built_on_it() {
    let common = gone_on(&Image::new(), 0..5);
    for (ours, theirs) in [(6..9, 16..19), (6..9, 16..17), (6..7, 16..19)] {
        let mut mixed = gone_on(&common, ours.clone());
        let theirs = gone_on(&common, theirs.clone());
        let segments = theirs.iter().filter(|(name, _)| name.ends_with(".seg"));
        mixed.extend(segments.map(|(name, bytes)| (name.clone(), bytes.clone())));
        let disk = SimulatedDisk::of_image(&mixed);
        let Ok(opened) = resume(&disk, Mode::Write) else {
            // What the mixed files know of was acked, and is not there.
            continue;
        };
        assert!(!opened.recovered.passed_over.is_empty(), "it is told");
        check_answers(&opened);
        fill(&opened.journal, 30..34);
        check_answers(&opened);
        wait(opened.journal.close()).expect("closes");
        // Only the snapshots of the other copy are left, and they are told.
        let findings = verify_store(&disk).expect("reads").findings;
        assert!(findings.iter().all(|found| found.file.ends_with(".snap")), "{findings:?}");
        check_answers(&resume(&disk, Mode::Read).expect("opens"));
    }
}
