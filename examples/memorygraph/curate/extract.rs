//! A summary made of a text's own sentences: those whose words tell most.

/// Characters that a summary may have.
const MAX_SUMMARY: usize = 500;
/// What every extract begins with, so that nobody takes it for somebody's own words.
const SAYS_SO: &str = "Extract: ";

/// The sentences of `content` that tell most, in their order; none if all of it would do as a summary, or if no sentence
/// fits into one. `weigh` says how much the words of a sentence tell.
pub(super) fn extract(content: &str, weigh: impl Fn(&str) -> f32) -> Option<String> {
    if content.chars().count() <= MAX_SUMMARY {
        return None;
    }
    let mut sentences: Vec<(usize, &str, f32)> = sentences(content)
        .enumerate()
        .map(|(place, sentence)| (place, sentence, weigh(sentence)))
        .filter(|(_, _, weight)| *weight > 0.0)
        .collect();
    sentences.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.0.cmp(&b.0)));
    let mut room = MAX_SUMMARY - SAYS_SO.len();
    sentences.retain(|(_, sentence, _)| {
        let needs = sentence.chars().count() + 1;
        let fits = needs <= room;
        room -= if fits { needs } else { 0 };
        fits
    });
    sentences.sort_by_key(|(place, ..)| *place);
    let told: Vec<&str> = sentences.into_iter().map(|(_, sentence, _)| sentence).collect();
    (!told.is_empty()).then(|| format!("{SAYS_SO}{}", told.join(" ")))
}

/// The sentences of a text; a line of its own is one, too.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().flat_map(|line| {
        let mut rest = line;
        std::iter::from_fn(move || {
            let end = rest.char_indices().find_map(|(at, c)| {
                let after = at + c.len_utf8();
                let ends =
                    matches!(c, '.' | '!' | '?' | '。') && !rest[after..].starts_with(char::is_alphanumeric);
                ends.then_some(after)
            });
            let (sentence, left) = rest.split_at(end.unwrap_or(rest.len()));
            rest = left;
            (!sentence.is_empty()).then_some(sentence.trim())
        })
    });
    lines.filter(|sentence| !sentence.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_into_sentences_and_names_stay_whole() {
        let text = "Run main.rs first. Then wait!\n\nWhy? Version 1.2 is slow";
        let expected = ["Run main.rs first.", "Then wait!", "Why?", "Version 1.2 is slow"];
        assert_eq!(sentences(text).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_sentences_that_tell_most_make_the_summary_in_their_order() {
        let filler = "Nothing of interest was said about it on that day. ".repeat(20);
        let content = format!("Redis was slow. {filler}The pool was too small.");
        let summary = extract(&content, |sentence| if sentence.contains("Nothing") { 0.1 } else { 1.0 });
        let summary = summary.expect("it is long");
        assert!(summary.starts_with("Extract: Redis was slow. "), "{summary}");
        assert!(summary.ends_with("The pool was too small."), "{summary}");
        assert!(summary.chars().count() <= MAX_SUMMARY);
    }

    #[test]
    fn what_is_short_or_has_no_sentence_needs_no_summary() {
        assert_eq!(extract("Redis was slow.", |_| 1.0), None);
        assert_eq!(extract(&"x".repeat(600), |_| 1.0), None);
    }
}
