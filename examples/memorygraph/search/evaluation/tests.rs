//! Below these floors no change of the search may fall.

use super::*;

fn judged(set: &Set, mode: Mode) -> BTreeMap<&str, Quality> {
    set.judge(set.modes().into_iter().find(|(known, _)| *known == mode).expect("a mode that the set has"))
}

fn floors(set: &Set, mode: Mode, floors: &[(&str, f64)]) {
    let judged = judged(set, mode);
    for (kind, floor) in floors {
        let found = judged[kind].reciprocal_rank;
        assert!(found >= *floor, "{mode:?}, {kind}: an MRR of {found:.3}, where {floor} is wanted\n{set}");
    }
}

#[test]
fn what_is_asked_by_its_words_is_found_first_in_any_form_and_spelling() {
    let set = Set::own(None).expect("the own set is sound");
    assert_eq!((set.memories.len(), set.questions.len()), (60, 75));
    let exact = [("lexical", 1.0), ("inflected", 1.0), ("misspelt", 1.0), ("paraphrased", 0.4)];
    floors(&set, Mode::Lexical, &exact);
    floors(&set, Mode::Associative, &exact);
}

#[test]
fn each_question_is_answered_by_memories_that_there_are() {
    let set = Set::own(None).expect("the own set is sound");
    let ids: HashSet<&str> = set.memories.iter().map(|memory| memory.id.as_str()).collect();
    for question in &set.questions {
        assert!(
            !question.relevant.is_empty() && question.relevant.iter().all(|id| ids.contains(id.as_str()))
        );
    }
}

/// What a team calls by two names, which only some of its memories use side by side.
const JARGON: [([&str; 6], [&str; 6]); 8] = [
    (
        ["redis", "timeout", "eviction", "cache", "ttl", "stampede"],
        ["memcached", "deadline", "expiry", "buffer", "staleness", "thundering"],
    ),
    (
        ["login", "password", "token", "session", "jwt", "oauth"],
        ["signin", "credential", "bearer", "cookie", "identity", "sso"],
    ),
    (
        ["postgres", "deadlock", "transaction", "index", "migration", "vacuum"],
        ["mysql", "lock", "commit", "btree", "schema", "bloat"],
    ),
    (
        ["pipeline", "flaky", "test", "runner", "coverage", "build"],
        ["workflow", "intermittent", "suite", "agent", "assertion", "compile"],
    ),
    (
        ["leak", "heap", "allocation", "garbage", "oom", "profiler"],
        ["footprint", "arena", "malloc", "collector", "exhaustion", "flamegraph"],
    ),
    (
        ["latency", "packet", "socket", "retry", "backoff", "dns"],
        ["delay", "datagram", "connection", "reattempt", "exponential", "resolver"],
    ),
    (
        ["invoice", "refund", "charge", "webhook", "currency", "ledger"],
        ["bill", "reimbursement", "debit", "callback", "exchange", "bookkeeping"],
    ),
    (
        ["disk", "snapshot", "backup", "replica", "checksum", "corruption"],
        ["volume", "image", "archive", "mirror", "digest", "bitrot"],
    ),
];
const FILLER: [&str; 20] = [
    "found", "service", "handler", "staging", "customer", "report", "change", "review", "release", "morning",
    "weekend", "night", "careful", "finally", "second", "request", "worker", "team", "decided", "prefer",
];

/// Memories of which 60 in a hundred use the one name of things, 15 the other, and 25 both; and questions that use the
/// other name for what is only told by the one.
fn jargon(memories: usize) -> (String, String) {
    let mut state = 7_u64;
    let mut dice = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut rows = Vec::new();
    let mut one_name: [Vec<usize>; JARGON.len()] = Default::default();
    let mut other: [Vec<usize>; JARGON.len()] = Default::default();
    for row in 0..memories {
        let topic = dice(JARGON.len());
        let names = dice(100);
        let length = 20 + dice(30);
        let content: Vec<&str> = (0..length)
            .map(|_| match (dice(100) < 45, names) {
                (false, _) => FILLER[dice(FILLER.len())],
                (true, 0..60) => JARGON[topic].0[dice(6)],
                (true, 60..75) => JARGON[topic].1[dice(6)],
                (true, _) if dice(2) == 0 => JARGON[topic].0[dice(6)],
                (true, _) => JARGON[topic].1[dice(6)],
            })
            .collect();
        let told = if names < 60 { &mut one_name } else { &mut other };
        told[topic].push(row);
        let (id, content) = (row.to_string(), content.join(" "));
        rows.push(serde_json::json!({ "id": id, "type": "general", "title": "Note", "content": content }));
    }
    let ids = |rows: &[usize]| rows.iter().map(ToString::to_string).collect::<Vec<_>>();
    let questions: Vec<serde_json::Value> = (0..JARGON.len() * 3)
        .map(|number| {
            let topic = number % JARGON.len();
            let query = [JARGON[topic].1[dice(3)], JARGON[topic].1[3 + dice(3)]].join(" ");
            let (relevant, ignore) = (ids(&one_name[topic]), ids(&other[topic]));
            serde_json::json!({ "kind": "jargon", "query": query, "relevant": relevant, "ignore": ignore })
        })
        .collect();
    (serde_json::json!({ "memories": rows }).to_string(), serde_json::json!(questions).to_string())
}

#[test]
fn a_team_s_own_jargon_is_learnt_from_its_memories() {
    let (memories, questions) = jargon(600);
    let set = Set::parse(&memories, &questions, None).expect("a sound set");
    let precision = judged(&set, Mode::Associative)["jargon"].precision;
    assert!(precision >= 0.9, "{set}");
    let lexical = judged(&set, Mode::Lexical)["jargon"].precision;
    assert!(lexical <= 0.0, "no answer has a word of its question");
}

#[test]
#[ignore = "needs WordLlama's wheel, named by MEMORYGRAPH_MODEL"]
fn what_is_asked_in_other_words_is_found_by_what_it_means() {
    let path = std::env::var_os("MEMORYGRAPH_MODEL").expect("MEMORYGRAPH_MODEL names the wheel");
    let model = Model::open(path.as_ref()).expect("a sound wheel");
    let set = Set::own(Some(Arc::new(model))).expect("the own set is sound");
    let exact = [("lexical", 1.0), ("inflected", 1.0), ("misspelt", 1.0), ("paraphrased", 0.64)];
    floors(&set, Mode::Semantic, &exact);
}
