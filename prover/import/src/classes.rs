//! Which class of the dataset each label of the model means.

use crate::{ImportError, fold::decision::Labels};

/// Class index of every outcome. Without a mapping, integer `k` is class index `k`, and a text is a class name;
/// integers that are no indices may be class names too.
pub fn assign(
    labels: &Labels,
    classes: &[String],
    mapping: &[(String, String)],
) -> Result<Vec<u8>, ImportError> {
    let texts: Vec<String> = (0..labels.len()).map(|at| labels.text(at)).collect();
    let refuse =
        |cause: String| ImportError::Classes { labels: texts.clone(), classes: classes.to_vec(), cause };
    if labels.len() != classes.len() {
        return Err(refuse(format!(
            "the model chooses among {}, the dataset has {}",
            labels.len(),
            classes.len()
        )));
    }
    let named = |text: &String| classes.iter().position(|class| class == text);
    let assigned = if mapping.is_empty() {
        let indices: Option<Vec<usize>> =
            (0..labels.len()).map(|at| index(labels.integer(at)?, classes.len())).collect();
        let names: Option<Vec<usize>> = texts.iter().map(named).collect();
        match (indices, names) {
            (Some(indices), Some(names)) if indices != names => {
                let cause =
                    "the integers are both indices and names of classes, and these differ; give a mapping";
                return Err(refuse(cause.to_owned()));
            }
            (Some(indices), _) => indices,
            (None, Some(names)) => names,
            (None, None) => {
                return Err(refuse("they do not match; give a mapping from labels to classes".to_owned()));
            }
        }
    } else {
        let find = |text: &String| {
            let class = mapping.iter().find(|(label, _)| label == text).map(|(_, class)| class);
            let class = class.ok_or_else(|| refuse(format!("the mapping lacks the label {text:?}")))?;
            named(class).ok_or_else(|| refuse(format!("the mapping names {class:?}, which is no class")))
        };
        texts.iter().map(find).collect::<Result<_, _>>()?
    };
    let mut seen = vec![false; classes.len()];
    for &class in &assigned {
        if std::mem::replace(&mut seen[class], true) {
            return Err(refuse(format!("two labels mean the class {:?}", classes[class])));
        }
    }
    Ok(assigned.into_iter().map(|class| class as u8).collect())
}

/// The class of one label, where the model's other labels are not known. As the import, but an integer that could mean
/// one class as an index and another as a name is always refused.
pub fn class_of(
    label: &str,
    integer: Option<i64>,
    classes: &[String],
    mapping: &[(String, String)],
) -> Result<u8, ImportError> {
    let refuse = |cause: &str| ImportError::Classes {
        labels: vec![label.to_owned()],
        classes: classes.to_vec(),
        cause: cause.to_owned(),
    };
    let named = |text: &str| classes.iter().position(|class| class == text);
    let class = if mapping.is_empty() {
        match (integer.and_then(|integer| index(integer, classes.len())), named(label)) {
            (Some(index), Some(name)) if index != name => {
                return Err(refuse("the integer is both index and name of a class; give a mapping"));
            }
            (index, name) => {
                index.or(name).ok_or_else(|| refuse("it is none; give a mapping from labels to classes"))?
            }
        }
    } else {
        let class = mapping.iter().find(|(from, _)| from == label).map(|(_, class)| class);
        let class = class.ok_or_else(|| refuse("the mapping lacks it"))?;
        named(class).ok_or_else(|| refuse("the mapping leads to what is no class"))?
    };
    Ok(class as u8)
}

fn index(integer: i64, count: usize) -> Option<usize> {
    usize::try_from(integer).ok().filter(|&index| index < count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Tensor;

    fn integers(labels: &[i64]) -> Labels {
        Labels::Given(labels.iter().map(|&label| Tensor::whole(vec![1], vec![label])).collect())
    }

    fn texts(labels: &[&str]) -> Labels {
        Labels::Given(labels.iter().map(|&label| Tensor::text(vec![1], vec![label.to_owned()])).collect())
    }

    fn classes(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn integers_are_indices_and_texts_are_names() {
        let names = classes(&["bad", "good"]);
        assert_eq!(assign(&integers(&[0, 1]), &names, &[]).unwrap(), [0, 1]);
        assert_eq!(assign(&integers(&[1, 0]), &names, &[]).unwrap(), [1, 0]);
        assert_eq!(assign(&texts(&["good", "bad"]), &names, &[]).unwrap(), [1, 0]);
        assert_eq!(assign(&Labels::Positions(2), &names, &[]).unwrap(), [0, 1]);
        assert_eq!(assign(&integers(&[1, 2]), &classes(&["2", "1"]), &[]).unwrap(), [1, 0]);
    }

    #[test]
    fn labels_that_do_not_match_are_refused() {
        let names = classes(&["bad", "good"]);
        let refused = |labels: Labels, names: &[String], mapping: &[(String, String)]| {
            matches!(assign(&labels, names, mapping), Err(ImportError::Classes { .. }))
        };
        assert!(refused(integers(&[1, 2]), &names, &[]));
        assert!(refused(integers(&[-1, 1]), &names, &[]));
        assert!(refused(texts(&["Good", "Bad"]), &names, &[]));
        assert!(refused(integers(&[0, 1, 2]), &names, &[]));
        assert!(refused(integers(&[0, 0]), &names, &[]));
        assert!(refused(integers(&[0, 1]), &classes(&["1", "0"]), &[]), "index or name?");
        assert!(refused(integers(&[1, 2]), &names, &[("1".to_owned(), "good".to_owned())]));
        assert!(refused(integers(&[1]), &names, &[]));
    }

    #[test]
    fn a_label_alone_means_what_it_means_among_others() {
        let names = classes(&["bad", "good"]);
        assert_eq!(class_of("1", Some(1), &names, &[]).unwrap(), 1);
        assert_eq!(class_of("bad", None, &names, &[]).unwrap(), 0);
        assert_eq!(class_of("2", Some(2), &classes(&["2", "1"]), &[]).unwrap(), 0);
        assert!(class_of("1", Some(1), &classes(&["1", "0"]), &[]).is_err(), "index or name?");
        assert!(class_of("2", Some(2), &names, &[]).is_err());
        let mapping = [("2".to_owned(), "bad".to_owned()), ("3".to_owned(), "worse".to_owned())];
        assert_eq!(class_of("2", Some(2), &names, &mapping).unwrap(), 0);
        assert!(class_of("1", Some(1), &names, &mapping).is_err());
        assert!(class_of("3", Some(3), &names, &mapping).is_err());
    }

    #[test]
    fn a_mapping_decides() {
        let mapping = [("1".to_owned(), "good".to_owned()), ("2".to_owned(), "bad".to_owned())];
        assert_eq!(assign(&integers(&[1, 2]), &classes(&["bad", "good"]), &mapping).unwrap(), [1, 0]);
    }
}
