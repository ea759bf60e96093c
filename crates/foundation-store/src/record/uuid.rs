//! UUIDs in ids: text of 36 bytes that a record keeps as 16.

/// The bits of a UUID in lower-case hyphenated form: the form that it is printed in again.
pub(super) fn uuid_of(text: &str) -> Option<u128> {
    let digits = digits_of(text)?;
    let mut bytes = [0_u8; 16];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair[0] << 4 | (pair[1] & 0x0f);
    }
    Some(u128::from_be_bytes(bytes))
}

/// Whether [`uuid_of`] has an answer.
pub(super) fn is_uuid(text: &str) -> bool {
    digits_of(text).is_some()
}

fn digits_of(text: &str) -> Option<[u8; 32]> {
    let text: &[u8; 36] = text.as_bytes().try_into().ok()?;
    if [8, 13, 18, 23].iter().any(|at| text[*at] != b'-') {
        return None;
    }
    let mut digits = [0_u8; 32];
    digits[..8].copy_from_slice(&text[..8]);
    digits[8..12].copy_from_slice(&text[9..13]);
    digits[12..16].copy_from_slice(&text[14..18]);
    digits[16..20].copy_from_slice(&text[19..23]);
    digits[20..].copy_from_slice(&text[24..]);
    // Without branches, so that the compiler takes many digits at once: every append comes here.
    let mut is_other = false;
    for digit in &mut digits {
        let (number, letter) = (digit.wrapping_sub(b'0'), digit.wrapping_sub(b'a'));
        is_other |= (number > 9) & (letter > 5);
        *digit = if number <= 9 { number } else { letter.wrapping_add(10) };
    }
    (!is_other).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_form_that_is_printed_again_is_a_uuid() {
        let usual = "01890a5d-ac96-774b-bcce-b302099a8057";
        assert_eq!(uuid_of(usual), Some(0x0189_0a5d_ac96_774b_bcce_b302_099a_8057));
        for at in 0..36 {
            for other in ['g', '/', ':', '`', 'A', 'F', '\0', '\u{7f}'] {
                let mut text: Vec<char> = usual.chars().collect();
                text[at] = other;
                assert_eq!(uuid_of(&text.iter().collect::<String>()), None, "{other:?} at {at}");
            }
        }
        assert_eq!(uuid_of("01890a5dac96774bbcceb302099a8057"), None);
        assert_eq!(uuid_of(&usual.replace('-', "0")), None);
    }
}
