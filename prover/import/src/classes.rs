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
    fn a_mapping_decides() {
        let mapping = [("1".to_owned(), "good".to_owned()), ("2".to_owned(), "bad".to_owned())];
        assert_eq!(assign(&integers(&[1, 2]), &classes(&["bad", "good"]), &mapping).unwrap(), [1, 0]);
    }
}
