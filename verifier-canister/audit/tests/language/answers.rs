//! What counts as an answer, and what does not, in tables.

use audit::language::answer::{Invalid, parse};

const CITIES: [&str; 4] = ["Rome", "Paris", "Bern", "New York"];

#[test]
fn one_letter_in_a_usual_dress_is_an_answer() {
    let cases = [
        ("B", 1),
        ("A", 0),
        ("D", 3),
        (" B \n", 1),
        ("\u{a0}B\u{2003}", 1),
        ("B.", 1),
        ("B)", 1),
        ("(B)", 1),
        ("(B).", 1),
        ("[B]", 1),
        ("B:", 1),
        ("**B**", 1),
        ("**B.**", 1),
        ("*B*", 1),
        ("__B__", 1),
        ("`B`", 1),
        ("\"B\"", 1),
        ("\"B\".", 1),
        ("“B”", 1),
        ("'B'", 1),
        ("**\"B\"**", 1),
        ("B) Paris", 1),
        ("B. Paris", 1),
        ("B.Paris", 1),
        ("B: Paris.", 1),
        ("(B) Paris", 1),
        ("**B**) Paris", 1),
        ("**B) Paris**", 1),
        ("B Paris", 1),
        ("B) \"Paris\"", 1),
        ("D) New York", 3),
        ("Answer: B", 1),
        ("answer: B", 1),
        ("ANSWER : B", 1),
        ("Answer B", 1),
        ("Answer:B", 1),
        ("Answer: **B**", 1),
        ("**Answer: B**", 1),
        ("**Answer:** B", 1),
        ("**Answer**: B) Paris", 1),
        ("The answer is B.", 1),
        ("The correct answer is (B) Paris.", 1),
        ("Final answer: B", 1),
        ("Option C", 2),
        ("Antwort: B", 1),
        ("Die richtige Antwort ist B.", 1),
        ("Réponse : B", 1),
        ("La réponse est B.", 1),
        ("Respuesta: B", 1),
        ("La respuesta correcta es B) Paris.", 1),
    ];
    for (answer, expected) in cases {
        assert_eq!(parse(answer, false, &CITIES), Ok(expected), "{answer:?}");
    }
}

#[test]
fn whatever_else_is_there_makes_it_none() {
    use Invalid::{Empty, Form, NoSuchOption, OtherText};
    let cases = [
        ("", Empty),
        (" \n\t\u{a0}", Empty),
        // More than one letter, or a choice left open.
        ("A or B", OtherText),
        ("A, B", Form),
        ("A/B", Form),
        ("A and B", OtherText),
        ("A B", OtherText),
        ("A) B", OtherText),
        ("AB", Form),
        ("B or (A)", OtherText),
        ("B\nA", OtherText),
        ("B\n\nNo, wait: A.", OtherText),
        ("**A** **B**", OtherText),
        ("\"A\" or \"B\"", OtherText),
        ("The answer is A or B", OtherText),
        // Negations and hedges.
        ("Not B", Form),
        ("not B", Form),
        ("Anything but B", Form),
        ("B is wrong", OtherText),
        ("B?", Form),
        ("B!", Form),
        ("I think B", Form),
        ("Probably B", Form),
        // Words that begin with a letter, and the English article.
        ("Bern", Form),
        ("Apple", Form),
        ("A city in France", OtherText),
        ("A: I do not know", OtherText),
        ("Dunno", Form),
        // Another option's text, or a text without its letter.
        ("B) Rome", OtherText),
        ("B) paris", OtherText),
        ("B) Paris, the capital of France", OtherText),
        ("Paris", Form),
        // The prompt, quoted.
        ("A) Rome\nB) Paris\nC) Bern\nD) New York", OtherText),
        ("A) Rome\nB) Paris\nC) Bern\nD) New York\n\nAnswer: B", OtherText),
        ("A, B, C, D", Form),
        // No such letter.
        ("E", NoSuchOption),
        ("Z)", NoSuchOption),
        ("E) Paris", Form),
        ("I", NoSuchOption),
        // Other characters that look like the letter, or hide beside it.
        ("\u{412}", Form),
        ("\u{392}", Form),
        ("\u{ff22}", Form),
        ("\u{24b7}", Form),
        ("\u{1d401}", Form),
        ("B\u{301}", Form),
        ("\u{200b}B", Form),
        ("B\u{200b}", Form),
        ("\u{feff}B", Form),
        ("\u{202e}B", Form),
        ("B\0", Form),
        ("A\u{20dd}", Form),
        // Small letters, numbers, other forms.
        ("b", Form),
        ("(b)", Form),
        ("2", Form),
        ("{\"answer\": \"B\"}", Form),
        ("<think>B</think>B", Form),
        ("\\boxed{B}", Form),
        ("- B", Form),
        ("> B", Form),
        ("```\nB\n```", Form),
        ("((B))", Form),
        ("(B", Form),
        ("B**", Form),
        ("**", Form),
        ("\"\"", Form),
        // Refusals, and phrases without an answer.
        ("I'm sorry, but I can't help with that.", Form),
        ("As an AI, I cannot choose.", Form),
        ("Answer:", Form),
        ("Answer", Form),
        ("AnswerB", Form),
        ("The answer is", Form),
        ("The answer is not B", Form),
        ("Answer: Answer: B", Form),
    ];
    for (answer, expected) in cases {
        assert_eq!(parse(answer, false, &CITIES), Err(expected), "{answer:?}");
    }
}

#[test]
fn an_answer_that_was_cut_off_is_none_whatever_it_begins_with() {
    for answer in ["B", "A", "", "B) Paris"] {
        assert_eq!(parse(answer, true, &CITIES), Err(Invalid::CutOff), "{answer:?}");
    }
}

#[test]
fn options_that_look_like_answers_do_not_confuse() {
    let letters = ["B", "A", "or B"];
    assert_eq!(parse("A", false, &letters), Ok(0));
    assert_eq!(parse("A) B", false, &letters), Ok(0));
    assert_eq!(parse("B) B", false, &letters), Err(Invalid::OtherText));
    assert_eq!(parse("B", false, &[]), Err(Invalid::NoSuchOption));
    let dots = ["It rains.", "It snows."];
    assert_eq!(parse("A) It rains.", false, &dots), Ok(0));
    assert_eq!(parse("A) It rains", false, &dots), Err(Invalid::OtherText));
}
