//! The stem of an English word, by Porter's algorithm (1980): "retries", "retrying" and "retry" are one.

/// Endings of step 2 with what takes their place, longer ones first.
#[rustfmt::skip]
const STEP_2: &[(&str, &str)] = &[
    ("ational", "ate"), ("ization", "ize"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"),
    ("tional", "tion"), ("biliti", "ble"), ("ation", "ate"), ("alism", "al"), ("aliti", "al"), ("iviti", "ive"),
    ("ousli", "ous"), ("entli", "ent"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("alli", "al"),
    ("ator", "ate"), ("logi", "log"), ("bli", "ble"), ("eli", "e"),
];
const STEP_3: &[(&str, &str)] = &[
    ("icate", "ic"),
    ("ative", ""),
    ("alize", "al"),
    ("iciti", "ic"),
    ("ical", "ic"),
    ("ness", ""),
    ("ful", ""),
];
const STEP_4: &[&str] = &[
    "ement", "ance", "ence", "able", "ible", "ment", "ant", "ent", "ion", "ism", "ate", "iti", "ous", "ive",
    "ize", "al", "er", "ic", "ou",
];

/// The stem of `word`, which is in lower case. Words that are not of the letters a to z stay as they are.
pub(super) fn stem(word: String) -> String {
    if word.len() <= 2 || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return word;
    }
    let mut word = Word(word);
    word.drop_plural();
    word.drop_past_and_gerund();
    word.turn_y_to_i();
    word.replace_first_of(STEP_2);
    word.replace_first_of(STEP_3);
    word.drop_suffix();
    word.tidy_end();
    word.0
}

/// A word of ASCII letters on its way to its stem, so that any index is a boundary of characters.
struct Word(String);

impl Word {
    fn ends_with(&self, ending: &str) -> bool {
        self.0.ends_with(ending)
    }

    /// What is left without `ending`, if it has that.
    fn before(&self, ending: &str) -> Option<&str> {
        self.0.strip_suffix(ending)
    }

    /// Takes `count` letters off its end.
    fn shorten(&mut self, count: usize) {
        self.0.truncate(self.0.len() - count);
    }

    /// Step 1a.
    fn drop_plural(&mut self) {
        if self.ends_with("sses") || self.ends_with("ies") {
            self.shorten(2);
        } else if self.ends_with("s") && !self.ends_with("ss") {
            self.shorten(1);
        }
    }

    /// Step 1b.
    fn drop_past_and_gerund(&mut self) {
        if let Some(rest) = self.before("eed") {
            if measure(rest) > 0 {
                self.shorten(1);
            }
            return;
        }
        let ending = ["ed", "ing"].into_iter().find(|ending| self.before(ending).is_some_and(has_vowel));
        let Some(ending) = ending else { return };
        self.shorten(ending.len());
        if ["at", "bl", "iz"].iter().any(|end| self.ends_with(end)) {
            self.0.push('e');
        } else if ends_in_double_consonant(&self.0) && !self.0.ends_with(['l', 's', 'z']) {
            self.shorten(1);
        } else if measure(&self.0) == 1 && ends_in_short_syllable(&self.0) {
            self.0.push('e');
        }
    }

    /// Step 1c.
    fn turn_y_to_i(&mut self) {
        if self.before("y").is_some_and(has_vowel) {
            self.shorten(1);
            self.0.push('i');
        }
    }

    /// Steps 2 and 3.
    fn replace_first_of(&mut self, endings: &[(&str, &str)]) {
        let Some((ending, instead)) = endings.iter().find(|(ending, _)| self.ends_with(ending)) else {
            return;
        };
        if self.before(ending).is_some_and(|rest| measure(rest) > 0) {
            self.shorten(ending.len());
            self.0.push_str(instead);
        }
    }

    /// Step 4.
    fn drop_suffix(&mut self) {
        let Some(ending) = STEP_4.iter().copied().find(|ending| self.ends_with(ending)) else { return };
        let Some(rest) = self.before(ending) else { return };
        if measure(rest) > 1 && (ending != "ion" || rest.ends_with(['s', 't'])) {
            self.shorten(ending.len());
        }
    }

    /// Step 5.
    fn tidy_end(&mut self) {
        if let Some(rest) = self.before("e") {
            let measure = measure(rest);
            if measure > 1 || measure == 1 && !ends_in_short_syllable(rest) {
                self.shorten(1);
            }
        }
        if self.ends_with("ll") && measure(&self.0) > 1 {
            self.shorten(1);
        }
    }
}

/// Whether each letter is a vowel; y is one after a consonant.
fn vowels(text: &str) -> impl Iterator<Item = bool> {
    text.bytes().scan(true, |after_vowel, letter| {
        *after_vowel = match letter {
            b'a' | b'e' | b'i' | b'o' | b'u' => true,
            b'y' => !*after_vowel,
            _ => false,
        };
        Some(*after_vowel)
    })
}

fn has_vowel(text: &str) -> bool {
    vowels(text).any(|vowel| vowel)
}

/// How often a vowel is followed by a consonant.
fn measure(text: &str) -> usize {
    let mut after_vowel = false;
    vowels(text).filter(|vowel| std::mem::replace(&mut after_vowel, *vowel) && !vowel).count()
}

fn ends_in_double_consonant(text: &str) -> bool {
    let letters = text.as_bytes();
    letters.len() > 1
        && letters[letters.len() - 1] == letters[letters.len() - 2]
        && vowels(text).last() == Some(false)
}

/// Whether the end is consonant, vowel, consonant, and the last is none of w, x, y: a syllable that had an e.
fn ends_in_short_syllable(text: &str) -> bool {
    let start = text.len().saturating_sub(3);
    vowels(text).skip(start).eq([false, true, false]) && !text.ends_with(['w', 'x', 'y'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_stems(pairs: &[(&str, &str)]) {
        for (word, expected) in pairs {
            assert_eq!(stem((*word).to_owned()), *expected, "the stem of {word}");
        }
    }

    #[test]
    fn the_forms_of_a_word_have_one_stem() {
        for forms in [
            &["timeout", "timeouts"][..],
            &["cache", "caches", "cached", "caching"],
            &["retry", "retries", "retried", "retrying"],
            &["migrate", "migrates", "migrated", "migrating", "migration", "migrations"],
            &["authenticate", "authenticated", "authentication"],
            &["connect", "connected", "connecting", "connection", "connections"],
        ] {
            let stems: Vec<String> = forms.iter().map(|form| stem((*form).to_owned())).collect();
            assert!(stems.windows(2).all(|pair| pair[0] == pair[1]), "{forms:?} have the stems {stems:?}");
        }
    }

    #[test]
    fn words_that_only_look_alike_keep_apart() {
        assert_stems(&[
            ("sing", "sing"),
            ("bed", "bed"),
            ("class", "class"),
            ("is", "is"),
            ("redis", "redi"),
        ]);
    }

    #[test]
    fn the_examples_of_the_algorithm_come_out_as_published() {
        assert_stems(&[
            ("caresses", "caress"),
            ("ponies", "poni"),
            ("feed", "feed"),
            ("agreed", "agre"),
            ("plastered", "plaster"),
            ("conflated", "conflat"),
            ("troubled", "troubl"),
            ("sized", "size"),
            ("hopping", "hop"),
            ("falling", "fall"),
            ("hissing", "hiss"),
            ("failing", "fail"),
            ("filing", "file"),
            ("happy", "happi"),
            ("sky", "sky"),
            ("relational", "relat"),
            ("conditional", "condit"),
            ("rational", "ration"),
            ("digitizer", "digit"),
            ("vietnamization", "vietnam"),
            ("operator", "oper"),
            ("hopefulness", "hope"),
            ("sensibiliti", "sensibl"),
            ("triplicate", "triplic"),
            ("formalize", "formal"),
            ("electrical", "electr"),
            ("goodness", "good"),
            ("revival", "reviv"),
            ("allowance", "allow"),
            ("adjustable", "adjust"),
            ("replacement", "replac"),
            ("adoption", "adopt"),
            ("effective", "effect"),
            ("probate", "probat"),
            ("rate", "rate"),
            ("cease", "ceas"),
            ("controll", "control"),
            ("roll", "roll"),
        ]);
    }

    #[test]
    fn names_and_other_scripts_stay_as_they_are() {
        assert_stems(&[("http2", "http2"), ("été", "été"), ("ошибки", "ошибки")]);
    }
}
