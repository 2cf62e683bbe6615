//! Models of a few bytes, from folders and wheels, and each way in which one cannot be used.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use miniz_oxide::deflate;
use rawzip::{CompressionMethod, DataDescriptorOutput, ZipArchiveWriter};
use serde_json::{Value, json};

use super::*;
use crate::model::MemoryId;

/// A folder that is gone when the test is over.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("memorygraph-model-{}", MemoryId::random()));
        fs::create_dir_all(&path).expect("the temporary folder can be written");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    fn with(self, name: &str, bytes: &[u8]) -> Self {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("can be made");
        fs::write(path, bytes).expect("can be written");
        self
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Whatever is left lies in the temporary folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A tokenizer of bytes, the blank, small letters, and what these are merged to.
fn tokenizer(merges: &[(&str, &str)]) -> Value {
    let bytes = (0..=255).map(|byte| format!("<0x{byte:02X}>"));
    let letters = std::iter::once(BLANK).chain('a'..='z').map(String::from);
    let merged = merges.iter().map(|(left, right)| format!("{left}{right}"));
    let vocab: serde_json::Map<String, Value> =
        bytes.chain(letters).chain(merged).zip((0..).map(|id: u32| id.into())).collect();
    let merges: Vec<String> = merges.iter().map(|(left, right)| format!("{left} {right}")).collect();
    json!({
        "normalizer": { "type": "Sequence", "normalizers": [
            { "type": "Prepend", "prepend": BLANK },
            { "type": "Replace", "pattern": { "String": " " }, "content": BLANK },
        ] },
        "pre_tokenizer": null,
        "model": { "type": "BPE", "byte_fallback": true, "vocab": vocab, "merges": merges },
    })
}
const BLANK: char = '\u{2581}';
const A: u32 = 257;
const MERGED: u32 = A + 26;

/// The pieces of a text, as numbers from the first letter on.
fn pieces(text: &str, merges: &[(&str, &str)]) -> Vec<i64> {
    let bytes = tokenizer(merges).to_string().into_bytes();
    let tokenizer = Tokenizer::read(&files::Content { name: "t.json".to_owned(), bytes }).expect("is sound");
    tokenizer.cut(text).iter().map(|piece| i64::from(*piece) - i64::from(A)).collect()
}

fn matrix(name: &str, dtype: &str, shape: &Value, data: &[u8]) -> Vec<u8> {
    let header =
        json!({ name: { "dtype": dtype, "shape": shape, "data_offsets": [0, data.len()] } }).to_string();
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

/// 1 in half precision.
const ONE: [u8; 2] = [0x00, 0x3c];

/// A matrix by which a word means its letters.
fn letters() -> Vec<u8> {
    let mut data = vec![0; MERGED as usize * 26 * 2];
    for letter in 0..26 {
        let at = ((A as usize + letter) * 26 + letter) * 2;
        data[at..at + 2].copy_from_slice(&ONE);
    }
    matrix("embedding.weight", "F16", &json!([MERGED, 26]), &data)
}

const MATRIX: &str = "weights/tiny.safetensors";
const TOKENIZER: &str = "tokenizers/tiny_tokenizer_config.json";

/// The folder of a model by which words that have the same letters mean the same.
pub(crate) fn tiny() -> Folder {
    Folder::new().with(MATRIX, &letters()).with(TOKENIZER, tokenizer(&[]).to_string().as_bytes())
}

/// Another one, which merges what it has no vector for.
pub(crate) fn tiny_merging() -> Folder {
    let tokenizer = tokenizer(&[("x", "x")]).to_string();
    let rows = MERGED as usize + 1;
    let matrix = matrix("embedding.weight", "F16", &json!([rows, 26]), &vec![0; rows * 26 * 2]);
    Folder::new().with(MATRIX, &matrix).with(TOKENIZER, tokenizer.as_bytes())
}

/// A wheel of the same model, with a file that nobody looks for.
fn wheel(folder: &Folder, method: CompressionMethod, spoilt: bool) -> PathBuf {
    let path = folder.path().join("tiny.whl");
    let mut archive = ZipArchiveWriter::new(fs::File::create(&path).expect("can be made"));
    let tokenizer = tokenizer(&[]).to_string().into_bytes();
    for (name, bytes) in
        [(MATRIX, letters()), (TOKENIZER, tokenizer), ("weights/README.md", b"Tiny.".to_vec())]
    {
        let name = format!("wordllama/{name}");
        let (mut entry, _) =
            archive.new_file(name.as_str()).compression_method(method).start().expect("can be written");
        let packed = match method {
            CompressionMethod::STORE => bytes.clone(),
            _ => deflate::compress_to_vec(&bytes, 6),
        };
        entry.write_all(&packed).expect("can be written");
        let crc = rawzip::crc32(&bytes) ^ u32::from(spoilt);
        entry.finish(DataDescriptorOutput::new(crc, bytes.len() as u64)).expect("can be written");
    }
    archive.finish().expect("can be written");
    path
}

fn cosine(model: &Model, [one, other]: [&str; 2]) -> f32 {
    let (one, other) = (model.sum(one), model.sum(other));
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(&one, &other) / (dot(&one, &one) * dot(&other, &other)).sqrt()
}

/// Why the model in `path` cannot be used, without its path.
fn refusal(path: &Path) -> String {
    let error = Model::open(path).expect_err("something is wrong with it").to_string();
    let start = format!("the model {} cannot be used: ", path.display());
    error.strip_prefix(&start).unwrap_or_else(|| panic!("'{error}' does not begin with '{start}'")).to_owned()
}

#[test]
fn a_model_is_the_same_from_a_folder_and_from_a_wheel() {
    let folder = tiny();
    let model = Model::open(folder.path()).expect("a sound model");
    assert!((cosine(&model, ["listen", "silent"]) - 1.0).abs() < 1e-6);
    assert!(cosine(&model, ["listen", "buzz"]).abs() < 1e-6);
    let flat = Folder::new()
        .with("tiny.safetensors", &letters())
        .with("tokenizer.json", tokenizer(&[]).to_string().as_bytes())
        .with("tokenizer_config.json", b"{}");
    assert_eq!(Model::open(flat.path()).expect("a sound model").fingerprint(), model.fingerprint());
    for method in [CompressionMethod::STORE, CompressionMethod::DEFLATE] {
        let folder = Folder::new();
        let packed = Model::open(&wheel(&folder, method, false)).expect("a sound wheel");
        assert_eq!(packed.fingerprint(), model.fingerprint(), "{method:?}");
    }
    let changed = Folder::new()
        .with(MATRIX, &letters())
        .with(TOKENIZER, tokenizer(&[("a", "b")]).to_string().as_bytes());
    assert_eq!(
        refusal(changed.path()),
        "its matrix has 283 rows, and its tokenizer knows 284 pieces of words",
        "another tokenizer"
    );
}

#[test]
fn pieces_are_merged_by_rank_and_then_from_left_to_right() {
    assert_eq!(pieces("abc", &[]), [-1, 0, 1, 2], "a blank stands before the text");
    let merges = [("b", "c"), ("a", "b"), ("a", "bc"), ("b", "b"), ("\u{2581}", "abc")];
    let [bc, abc, bb, whole] = [26, 28, 29, 30];
    assert_eq!(pieces("bc", &merges), [-1, bc]);
    assert_eq!(pieces("abcabc", &merges), [whole, abc]);
    assert_eq!(pieces("bbb", &merges), [-1, bb, 1], "from the left");
    assert_eq!(pieces("a  b", &[]), [-1, 0, -1, -1, 1], "each blank is one");
    let byte = |byte: i64| byte - i64::from(A);
    assert_eq!(
        pieces("\u{e9}\n", &[]),
        [-1, byte(0xc3), byte(0xa9), byte(0x0a)],
        "what has no letter is its bytes"
    );
    assert!(pieces("", &merges).is_empty());
}

#[test]
fn what_a_model_lacks_is_said() {
    let folder = Folder::new();
    let nowhere = folder.path().join("none");
    assert!(refusal(&nowhere).starts_with("No such file"), "{}", refusal(&nowhere));
    let tokenizers = "it holds no tokenizer (tokenizers/*tokenizer_config.json or tokenizer.json)";
    assert_eq!(refusal(folder.path()), "it holds no matrix of vectors (weights/*.safetensors)");
    let folder = folder.with(MATRIX, &letters());
    assert_eq!(refusal(folder.path()), tokenizers);
    let folder = tiny().with("weights/small.safetensors", &letters());
    assert_eq!(
        refusal(folder.path()),
        "it holds more than one matrix of vectors (weights/small.safetensors, weights/tiny.safetensors); name a folder \
         with one of them"
    );
    let file = folder.with("text.whl", b"no zip at all");
    assert_eq!(refusal(&file.path().join("text.whl")), "it is neither a folder nor a wheel (a zip file)");
}

#[test]
fn a_wheel_that_is_damaged_is_refused() {
    let folder = Folder::new();
    let path = wheel(&folder, CompressionMethod::DEFLATE, true);
    assert!(
        refusal(&path).starts_with("wordllama/weights/tiny.safetensors in it is damaged: "),
        "{}",
        refusal(&path)
    );
    let path = wheel(&folder, CompressionMethod::DEFLATE, false);
    let whole = fs::read(&path).expect("was written");
    for end in (0..whole.len()).step_by(7) {
        fs::write(&path, &whole[..end]).expect("can be written");
        refusal(&path);
        let mut one_off = whole.clone();
        one_off[end] ^= 0x10;
        fs::write(&path, one_off).expect("can be written");
        // Not every byte matters; none may make it panic.
        let _ = Model::open(&path);
    }
}

#[test]
fn a_matrix_of_another_form_is_refused() {
    let with = |bytes: &[u8]| refusal(tiny().with(MATRIX, bytes).path());
    let whole = letters();
    assert!(with(&whole[..whole.len() - 1]).starts_with("weights/tiny.safetensors is damaged: "));
    assert!(with(b"").starts_with("weights/tiny.safetensors is damaged: "));
    let cases = [
        (
            matrix("embeddings", "F16", &json!([1, 1]), &ONE),
            "holds no tensor 'embedding.weight', but [\"embeddings\"]",
        ),
        (
            matrix("embedding.weight", "F32", &json!([1, 1]), &[0; 4]),
            "holds numbers of type F32, where F16 is needed",
        ),
        (
            matrix("embedding.weight", "F16", &json!([1]), &ONE),
            "has the shape [1], where [pieces, numbers] is needed",
        ),
        (
            matrix("embedding.weight", "F16", &json!([0, 4]), &[]),
            "has the shape [0, 4], where [pieces, numbers] is needed",
        ),
        (
            matrix("embedding.weight", "F16", &json!([2, 1]), &[0x00, 0x3c, 0x01, 0x7e]),
            "holds something in row 1 that is no finite number",
        ),
    ];
    for (bytes, expected) in cases {
        assert_eq!(with(&bytes), format!("{MATRIX} {expected}"));
    }
}

#[test]
fn a_tokenizer_of_another_kind_is_refused() {
    let with = |text: &str| refusal(tiny().with(TOKENIZER, text.as_bytes()).path());
    assert!(with("{").starts_with(&format!("{TOKENIZER} is no tokenizer: EOF while parsing")));
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut tokenizer = tokenizer(&[("a", "b")]);
        change(&mut tokenizer);
        with(&tokenizer.to_string())
    };
    let is = |what: &str| format!("{TOKENIZER} {what}");
    let unlike = is("does not cut words as Llama 2 does, which is needed");
    assert_eq!(
        changed(&|file| file["model"]["type"] = "WordPiece".into()),
        is("is a tokenizer of type \"WordPiece\", where \"BPE\" is needed")
    );
    assert_eq!(changed(&|file| file["pre_tokenizer"] = json!({ "type": "ByteLevel" })), unlike);
    assert_eq!(changed(&|file| file["normalizer"] = Value::Null), unlike);
    assert_eq!(changed(&|file| file["model"]["byte_fallback"] = false.into()), unlike);
    assert_eq!(
        changed(&|file| file["model"]["merges"] = json!(["ab"])),
        is("has a merge that is no pair: \"ab\"")
    );
    assert_eq!(
        changed(&|file| file["model"]["merges"] = json!([["a", "c"]])),
        is("lacks the piece \"ac\" in its vocabulary")
    );
    assert_eq!(
        changed(&|file| file["model"]["vocab"] = json!({ "a": 1 })),
        is("lacks the piece \"<0x00>\" in its vocabulary")
    );
}

#[test]
fn a_memory_is_known_by_what_is_read_of_it() {
    let folder = tiny();
    let model = Model::open(folder.path()).expect("a sound model");
    let tags = ["cache".to_owned()];
    let text = Text { title: "Redis", content: "Late.", tags: &tags, ..Text::default() };
    let meaning = model.meaning(&text);
    assert_eq!(meaning.text, text.fingerprint());
    for other in [
        Text { title: "Radis", ..text },
        Text { content: "Later.", ..text },
        Text { tags: &[], ..text },
        Text { summary: Some("Late."), ..text },
    ] {
        assert_ne!(other.fingerprint(), meaning.text, "{other:?}");
    }
    assert_eq!(Text { kind: "fix", ..text }.fingerprint(), meaning.text, "its type is no part of it");
}

/// Where `WordLlama`'s wheel lies: `pip download --no-deps wordllama`.
const WHEEL: &str = "MEMORYGRAPH_MODEL";

#[test]
#[ignore = "needs WordLlama's wheel, named by MEMORYGRAPH_MODEL"]
fn wordllama_says_what_its_own_documentation_says() {
    let path = std::env::var_os(WHEEL).expect("MEMORYGRAPH_MODEL names the wheel");
    let model = Model::open(path.as_ref()).expect("a sound wheel");
    let expected = [
        ("Introduction to neural networks", 0.3414),
        ("Foundations of neural science", 0.2115),
        ("Introduction to philosophy: logic", 0.1067),
        ("Cooking delicious pasta at home", 0.0045),
    ];
    for (text, expected) in expected {
        let found = cosine(&model, ["Machine learning methods", text]);
        assert!((found - expected).abs() < 0.000_05, "{text}: {found}");
    }
}
