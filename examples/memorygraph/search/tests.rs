//! What a search finds, and in which order.

use super::*;

fn digest(kind: &str, title: &str, content: &str) -> Digest {
    Digest::of(&Text { title, content, kind, ..Text::default() })
}

fn index_of(digests: &[Digest]) -> Index {
    let mut index = Index::default();
    for (doc, digest) in (0..).zip(digests) {
        index.put(doc, digest);
        index.settle(1);
    }
    index
}

const TIMEOUT: u32 = 0;
const POOL: u32 = 1;
const DEADLOCK: u32 = 2;
const AUTH: u32 = 3;

fn notes() -> Vec<Digest> {
    vec![
        digest("problem", "Redis timeout", "Under load the cache answers late."),
        digest("fix", "Pool of connections", "Reuse them; the timeout of redis is gone."),
        digest("error", "Deadlock in the ledger", "Two transactions wait for each other."),
        digest("general", "Authentication notes", "Tokens are signed, sessions are not."),
    ]
}

fn query(text: &str) -> Query {
    Query { words_only: true, ..text.parse().expect("has words") }
}

fn search(index: &Index, query: &Query) -> Vec<u32> {
    index.search(query, &|_| true).best.iter().map(|hit| hit.doc).collect()
}

/// What a query finds in the notes, best first.
fn found(text: &str) -> Vec<u32> {
    search(&index_of(&notes()), &query(text))
}

#[test]
fn a_query_finds_a_memory_that_has_only_some_of_its_words() {
    assert_eq!(found("how does a timeout work"), [TIMEOUT, POOL]);
    assert!(found("timeout fix").contains(&TIMEOUT));
}

#[test]
fn covering_more_of_the_query_ranks_higher() {
    assert_eq!(found("timeout fix")[0], POOL, "its type is fix");
    assert_eq!(found("deadlock timeout redis")[2], DEADLOCK);
}

#[test]
fn a_word_in_the_title_ranks_above_the_same_in_the_content() {
    assert_eq!(found("redis timeout"), [TIMEOUT, POOL]);
}

#[test]
fn words_are_found_in_any_inflection() {
    assert_eq!(found("deadlocked transaction"), [DEADLOCK]);
    assert_eq!(found("authenticating"), [AUTH]);
}

#[test]
fn a_misspelt_word_is_taken_for_the_nearest_but_counts_for_less() {
    for misspelt in ["timeot", "tiemout", "timeeout"] {
        assert_eq!(found(misspelt), [TIMEOUT, POOL], "{misspelt}");
    }
    assert_eq!(found("authentcation"), [AUTH]);
    let index = index_of(&notes());
    let hits = |text| index.search(&query(text), &|_| true);
    assert!(hits("timeot").best[0].score < hits("timeout").best[0].score);
    assert_eq!(
        hits("timeot").guessed,
        [Guess { word: "timeot".to_owned(), taken_for: vec!["timeout".to_owned()] }]
    );
    assert!(hits("timeout").guessed.is_empty());
}

#[test]
fn what_the_words_cover_lies_between_zero_and_one() {
    let index = index_of(&notes());
    for text in ["redis", "redis timeout cache", "redis unheard-of", "timeuot"] {
        for hit in index.search(&query(text), &|_| true).best {
            assert!(hit.why.lexical > 0.0 && hit.why.lexical < 1.0, "{text}: {hit:?}");
        }
    }
}

#[test]
fn nothing_is_found_where_nothing_fits() {
    assert!(found("kubernetes").is_empty());
    let associative: Query = "kubernetes".parse().expect("has words");
    assert!(search(&index_of(&notes()), &associative).is_empty());
    assert!(search(&Index::default(), &associative).is_empty());
}

#[test]
fn all_words_may_be_wanted() {
    let all = |text| {
        let query = Query { match_mode: MatchMode::All, ..query(text) };
        search(&index_of(&notes()), &query)
    };
    assert_eq!(all("redis cache"), [TIMEOUT]);
    assert_eq!(all("redis timeouts"), [TIMEOUT, POOL]);
    assert!(all("redis deadlock").is_empty());
    assert!(all("redis kubernetes").is_empty());
    assert_eq!(all("RedisTimeout"), [TIMEOUT, POOL], "by the parts of a name");
}

#[test]
fn tolerance_says_how_literally_words_are_taken() {
    let index = index_of(&notes());
    let taken = |text, tolerance| search(&index, &Query { tolerance, ..query(text) });
    assert_eq!(taken("transactions", Tolerance::Strict), [DEADLOCK]);
    assert!(taken("transaction", Tolerance::Strict).is_empty());
    assert_eq!(taken("transaction", Tolerance::Normal), [DEADLOCK]);
    assert!(taken("trans", Tolerance::Normal).is_empty());
    assert_eq!(taken("trans", Tolerance::Fuzzy), [DEADLOCK]);
}

#[test]
fn an_identifier_is_found_whole_and_by_its_parts() {
    let index = index_of(&[
        digest("error", "RedisTimeoutError in api_client.rs", "Raised by fetchOrder."),
        digest("error", "Timeout", "An error of redis."),
    ]);
    for text in ["redistimeouterror", "api client", "order", "fetch", "RedisTimeoutError"] {
        assert_eq!(search(&index, &query(text))[0], 0, "{text}");
    }
    assert_eq!(search(&index, &query("RedisTimeoutError")), [0, 1]);
}

#[test]
fn the_best_are_told_of_those_that_a_filter_takes() {
    let index = index_of(&notes());
    let query = Query { limit: 1, ..query("timeout deadlock") };
    let hits = index.search(&query, &|doc| doc != DEADLOCK);
    assert_eq!((hits.best.len(), hits.total), (1, 2));
    assert_eq!(hits.best[0].doc, TIMEOUT);
    let none = index.search(&Query { limit: 0, ..query }, &|_| true);
    assert_eq!((none.best.len(), none.total), (0, 3));
}

#[test]
fn a_document_put_again_is_known_by_its_new_words_alone() {
    let mut index = index_of(&notes());
    index.put(TIMEOUT, &digest("general", "Kubernetes", "Pods and nodes."));
    assert_eq!(search(&index, &query("redis")), [POOL]);
    assert_eq!(search(&index, &query("kubernetes")), [TIMEOUT]);
    assert_eq!(index.len(), 4);
}

#[test]
fn what_is_put_is_learnt_from_little_by_little() {
    let mut index = Index::default();
    for (doc, digest) in (0..).zip(&notes()) {
        index.put(doc, digest);
    }
    index.remove(AUTH);
    index.put(TIMEOUT, &notes()[0]);
    assert_eq!(search(&index, &query("redis")), [TIMEOUT, POOL], "its words are known at once");
    assert!(index.settle(1) && index.settle(3) && !index.settle(3) && !index.settle(3));
}

#[test]
fn a_document_that_is_removed_is_found_no_more() {
    let mut index = index_of(&notes());
    assert!(index.remove(POOL) && !index.remove(POOL) && !index.remove(77));
    assert_eq!(search(&index, &query("redis pool")), [TIMEOUT]);
    assert_eq!(index.len(), 3);
    let mut alone = Index::default();
    alone.put(POOL, &notes()[1]);
    assert!(alone.remove(POOL));
    assert!(search(&alone, &query("pool")).is_empty());
}

/// Memories of two matters that speak of them in two ways, of which some use both.
fn jargon() -> Vec<Digest> {
    let cache = ["redis eviction stampede", "memcached expiry thundering", "redis eviction memcached expiry"];
    let auth = ["login password token", "signin credential bearer", "login password signin credential"];
    let texts = cache.iter().chain(&auth).flat_map(|text| [text; 8]);
    texts.map(|text| digest("general", text, "What we found.")).collect()
}

#[test]
fn what_words_have_to_do_with_each_other_is_learnt_from_the_store() {
    let mut index = index_of(&jargon());
    index.learn();
    let hits = index.search(&"thundering expiry".parse().expect("has words"), &|_| true);
    let vectors = |docs: std::ops::Range<u32>| -> Vec<f32> {
        docs.map(|doc| {
            hits.best.iter().find(|hit| hit.doc == doc).map_or(0.0, |hit| hit.why.vector.unwrap_or_default())
        })
        .collect()
    };
    let (redis, login) = (vectors(0..8), vectors(24..32));
    assert!(redis.iter().all(|cosine| *cosine > NEAR), "they have no word of the query: {redis:?}");
    assert!(login.iter().all(|cosine| *cosine < NEAR), "they are of another matter: {login:?}");
}

#[test]
fn learning_one_by_one_and_all_at_once_come_to_much_the_same() {
    let digests = jargon();
    let one_by_one = {
        let mut index = index_of(&digests);
        for (doc, digest) in (0..).zip(&digests) {
            index.put(doc, digest);
            index.settle(1);
        }
        index
    };
    let mut at_once = Index::default();
    for (doc, digest) in (0..).zip(&digests) {
        at_once.put(doc, digest);
    }
    at_once.learn();
    let query: Query = "redis expiry".parse().expect("has words");
    let mut hits = [one_by_one, at_once].map(|index| index.search(&query, &|_| true).best);
    for hits in &mut hits {
        hits.sort_by_key(|hit| hit.doc);
    }
    assert_eq!(hits[0].len(), hits[1].len());
    for (a, b) in hits[0].iter().zip(&hits[1]) {
        assert!((a.score - b.score).abs() < 0.1, "{a:?} {b:?}");
    }
}
