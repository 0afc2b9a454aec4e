//! Causal language models: how likely an ending is behind a text.

use half::f16;
use ort::{
    memory::Allocator,
    session::{HasSelectedOutputs, OutputSelector, RunOptions, Session, SessionInputValue},
    value::{DynTensor, Tensor, TensorElementType, ValueType},
};
use tokenizers::{Encoding, Tokenizer};

use crate::{
    Choice, Facts, Request, RuntimeError,
    onnxruntime::{failed, load},
};

/// Most tokens of one text.
const MAX_TOKENS: usize = 1 << 15;

/// A causal language model in ONNX Runtime, with its tokenizer.
pub struct LanguageModel {
    session: Session,
    inputs: Vec<(String, Given)>,
    logits: String,
    /// Whether logits are those behind the last token only, whatever is wanted.
    last_only: bool,
    options: RunOptions<HasSelectedOutputs>,
    tokenizer: Box<Tokenizer>,
    facts: Facts,
}

/// What an input is given, for one text.
enum Given {
    /// The tokens.
    Tokens,
    /// A one for each token: none is left out.
    Mask,
    /// The tokens' places, from 0.
    Positions,
    /// A zero for each token: one segment.
    Segments,
    /// For how many of the last tokens logits are wanted.
    Wanted,
    /// Nothing that was computed before.
    NoPast(TensorElementType, Vec<i64>),
    /// That there is nothing of the kind.
    NoBranch,
}

impl LanguageModel {
    /// Loads model and tokenizer, and runs a token.
    pub fn open(onnx: &[u8], tokenizer: &[u8], request: &Request) -> Result<Self, RuntimeError> {
        let broken = |cause: tokenizers::Error| RuntimeError::Tokenizer(cause.to_string());
        let mut tokenizer = Tokenizer::from_bytes(tokenizer).map_err(broken)?;
        // A text is taken whole, or not at all.
        tokenizer.with_truncation(None).map_err(broken)?.with_padding(None);
        if matches!(request.choice, Choice::Embedded) {
            return Err(RuntimeError::EmbeddedLanguage);
        }
        let library = request.library()?.ok_or(RuntimeError::NoLanguageLibrary)?;
        let (session, facts) = load(onnx, &library, request)?;
        let inputs = session
            .inputs()
            .iter()
            .map(|input| Ok((input.name().to_owned(), given(input.name(), input.dtype())?)))
            .collect::<Result<Vec<_>, RuntimeError>>()?;
        if !inputs.iter().any(|(_, given)| matches!(given, Given::Tokens)) {
            return Err(RuntimeError::NotLanguage("it has no input input_ids".to_owned()));
        }
        let logits = "logits".to_owned();
        if !session.outputs().iter().any(|output| output.name() == logits) {
            return Err(RuntimeError::NotLanguage("it has no output logits".to_owned()));
        }
        let selector = OutputSelector::no_default().with(&logits);
        let options = RunOptions::new().map_err(failed)?.with_outputs(selector);
        let tokenizer = Box::new(tokenizer);
        let mut model = Self { session, inputs, logits, last_only: false, options, tokenizer, facts };
        model.last_only = model.run(&[0, 0], 2)?.len() < 2;
        Ok(model)
    }

    /// Fails if a token cannot be run: then nothing can, whatever the text is.
    pub fn probe(&mut self) -> Result<(), RuntimeError> {
        self.run(&[0], 1).map(|_| ())
    }

    /// What runs the model.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The natural logarithm of the probability of each ending behind `text`: of the tokens of text and ending that follow
    /// those with which the text begins whatever its ending. Fails where an ending's tokens are those with which another
    /// one's begin: nothing would tell them apart. A probability of 0 gives minus infinity.
    pub fn likelihoods(&mut self, text: &str, endings: &[String]) -> Result<Vec<f64>, RuntimeError> {
        let tokens = endings.iter().map(|ending| self.tokens(&format!("{text}{ending}")));
        let tokens = tokens.collect::<Result<Vec<_>, _>>()?;
        let Some((first, others)) = tokens.split_first() else { return Ok(Vec::new()) };
        let common =
            |other: &Vec<u32>| first.iter().zip(other).take_while(|(left, right)| left == right).count();
        let context = others.iter().map(common).min().unwrap_or(first.len().saturating_sub(1));
        let own =
            |tokens: &Vec<u32>| tokens.get(context..).filter(|own| !own.is_empty()).map(<[u32]>::to_vec);
        let own: Vec<_> = tokens.iter().map(own).collect::<Option<_>>().ok_or(RuntimeError::Endings)?;
        let alike = |(at, one): (usize, &Vec<u32>)| own[at + 1..].iter().any(|other| is_alike(one, other));
        if context == 0 || own.iter().enumerate().any(alike) {
            return Err(RuntimeError::Endings);
        }
        if tokens.iter().all(|tokens| tokens.len() == context + 1) {
            // As a rule: letters are tokens. One run tells all of them.
            let logits = self.logits(&first[..context], 1)?;
            return tokens.iter().map(|tokens| log_probability(&logits[0], tokens[context])).collect();
        }
        let all = tokens.iter().map(|tokens| {
            let (last, ending) = (tokens.len() - 1, &tokens[context..]);
            let logits = self.logits(&tokens[..last], ending.len())?;
            logits.iter().zip(ending).map(|(logits, &token)| log_probability(logits, token)).sum()
        });
        all.collect()
    }

    /// The tokens of a text as the tokenizer writes them, with those that its template puts before it.
    pub fn pieces(&self, text: &str) -> Result<Vec<String>, RuntimeError> {
        let (encoded, length) = self.encoded(text)?;
        Ok(encoded.get_tokens()[..length].to_vec())
    }

    fn tokens(&self, text: &str) -> Result<Vec<u32>, RuntimeError> {
        let (encoded, length) = self.encoded(text)?;
        Ok(encoded.get_ids()[..length].to_vec())
    }

    /// A text's tokens, and how many there are without those that the tokenizer's template puts behind it: what they say about
    /// the model's end of a text says nothing about the ending.
    fn encoded(&self, text: &str) -> Result<(Encoding, usize), RuntimeError> {
        let encoded = self.tokenizer.encode(text, true);
        let encoded = encoded.map_err(|cause| RuntimeError::Tokenizer(cause.to_string()))?;
        let behind = encoded.get_special_tokens_mask().iter().rev().take_while(|&&special| special == 1);
        let length = encoded.len() - behind.count();
        if length > MAX_TOKENS {
            return Err(RuntimeError::TooLong { max: MAX_TOKENS, got: length });
        }
        Ok((encoded, length))
    }

    /// The logits behind each of the last `wanted` tokens.
    fn logits(&mut self, tokens: &[u32], wanted: usize) -> Result<Vec<Vec<f32>>, RuntimeError> {
        let not_run = |cause| match cause {
            RuntimeError::OnnxRuntime(cause) => RuntimeError::NotRun { tokens: tokens.len(), cause },
            cause => cause,
        };
        if !self.last_only {
            return self.run(tokens, wanted).map_err(not_run);
        }
        let lengths = tokens.len() + 1 - wanted..=tokens.len();
        let last = |length| Ok(self.run(&tokens[..length], 1).map_err(not_run)?.swap_remove(0));
        lengths.map(last).collect()
    }

    /// The logits behind each of the last `wanted` tokens, or of fewer where the model gives fewer.
    fn run(&mut self, tokens: &[u32], wanted: usize) -> Result<Vec<Vec<f32>>, RuntimeError> {
        let given = self.inputs.iter().map(|(name, given)| Ok((name.as_str(), given.value(tokens, wanted)?)));
        let given = given.collect::<Result<Vec<_>, RuntimeError>>()?;
        let outputs = self.session.run_with_options(given, &self.options).map_err(failed)?;
        let wrong = |what: &str| RuntimeError::NotLanguage(format!("its logits are {what}"));
        let logits = outputs.get(&self.logits).ok_or_else(|| wrong("missing"))?;
        let rows = |shape: &[i64]| match *shape {
            // Some give the wanted rows only, some the last one.
            [1, rows, width] if rows > 0 && width > 0 => Ok((wanted.min(rows as usize), width as usize)),
            _ => Err(wrong(&format!("of shape {shape:?}"))),
        };
        if let Ok((shape, values)) = logits.try_extract_tensor::<f32>() {
            let (rows, width) = rows(shape)?;
            return Ok(values[values.len() - rows * width..]
                .chunks_exact(width)
                .map(<[f32]>::to_vec)
                .collect());
        }
        if let Ok((shape, values)) = logits.try_extract_tensor::<f16>() {
            let (rows, width) = rows(shape)?;
            let single = |row: &[f16]| row.iter().map(|value| value.to_f32()).collect();
            return Ok(values[values.len() - rows * width..].chunks_exact(width).map(single).collect());
        }
        Err(wrong("neither of single nor of half precision"))
    }
}

impl Given {
    fn value(&self, tokens: &[u32], wanted: usize) -> Result<SessionInputValue<'static>, RuntimeError> {
        let length = tokens.len() as i64;
        let row = |values: Vec<i64>| Ok(Tensor::from_array(([1, length], values)).map_err(failed)?.into());
        match self {
            Self::Tokens => row(tokens.iter().map(|&token| token.into()).collect()),
            Self::Mask => row(vec![1; tokens.len()]),
            Self::Positions => row((0..length).collect()),
            Self::Segments => row(vec![0; tokens.len()]),
            Self::Wanted => {
                let scalar: [i64; 0] = [];
                Ok(Tensor::from_array((scalar, vec![wanted as i64])).map_err(failed)?.into())
            }
            Self::NoPast(element, shape) => {
                let allocator = Allocator::default();
                Ok(DynTensor::new(&allocator, *element, shape.clone()).map_err(failed)?.into())
            }
            Self::NoBranch => Ok(Tensor::from_array(([1], vec![false])).map_err(failed)?.into()),
        }
    }
}

/// What an input of this name and type is given.
fn given(name: &str, dtype: &ValueType) -> Result<Given, RuntimeError> {
    let ValueType::Tensor { ty, shape, .. } = dtype else {
        return Err(RuntimeError::NotLanguage(format!("its input {name} is no tensor")));
    };
    let found = match name {
        "input_ids" => Given::Tokens,
        "attention_mask" => Given::Mask,
        "position_ids" => Given::Positions,
        "token_type_ids" => Given::Segments,
        "num_logits_to_keep" | "logits_to_keep" => Given::Wanted,
        "use_cache_branch" => Given::NoBranch,
        _ if name.starts_with("past_key_values") && shape.len() == 4 => {
            // Texts, heads, tokens, entries of a head; what the file leaves open beside the first is the tokens.
            let open = |(place, &size): (usize, &i64)| if size >= 0 { size } else { i64::from(place == 0) };
            Given::NoPast(*ty, shape.iter().enumerate().map(open).collect())
        }
        _ => return Err(RuntimeError::NotLanguage(format!("its input {name} is not known"))),
    };
    let whole = matches!(ty, TensorElementType::Int64);
    let fits = match found {
        Given::NoPast(..) => matches!(ty, TensorElementType::Float32 | TensorElementType::Float16),
        Given::NoBranch => matches!(ty, TensorElementType::Bool),
        _ => whole,
    };
    if !fits {
        return Err(RuntimeError::NotLanguage(format!("its input {name} is of type {ty}")));
    }
    Ok(found)
}

/// Of one token, by the logits of all.
fn log_probability(logits: &[f32], token: u32) -> Result<f64, RuntimeError> {
    let largest = logits.iter().fold(f64::NEG_INFINITY, |largest, &logit| largest.max(logit.into()));
    let sum: f64 = logits.iter().map(|&logit| (f64::from(logit) - largest).exp()).sum();
    let missing = || RuntimeError::NotLanguage(format!("it has no logit of the tokenizer's token {token}"));
    let logit = logits.get(token as usize).ok_or_else(missing)?;
    let found = f64::from(*logit) - largest - sum.ln();
    // A token that the model rules out is no failure; one of which it says nothing is.
    if found <= 0.0 { Ok(found) } else { Err(RuntimeError::NotANumber(0)) }
}

/// Whether the shorter one is what the other begins with.
fn is_alike(one: &[u32], other: &[u32]) -> bool {
    one.starts_with(other) || other.starts_with(one)
}
