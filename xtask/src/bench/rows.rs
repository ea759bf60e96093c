//! What the benches measured, as they leave it in files.

use std::path::Path;

use serde_json::Value;

/// One measured row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// Group and name.
    pub(crate) id: String,
    /// Median of one operation, or of one element where a row handles many.
    pub(crate) nanos: f64,
}

/// Reads every row below the folder, in order of names.
pub(crate) fn read(folder: &Path) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for group in entries(folder)? {
        for name in entries(&group).unwrap_or_default() {
            let new = name.join("new");
            if new.join("estimates.json").is_file() {
                rows.push(row(
                    &json(&new.join("benchmark.json"))?,
                    &json(&new.join("estimates.json"))?,
                )?);
            }
        }
    }
    if rows.is_empty() {
        return Err(format!("no rows in {}", folder.display()));
    }
    rows.sort_by(|one, two| one.id.cmp(&two.id));
    Ok(rows)
}

fn entries(folder: &Path) -> Result<Vec<std::path::PathBuf>, String> {
    let read = std::fs::read_dir(folder)
        .map_err(|cause| format!("cannot read {}: {cause}", folder.display()))?;
    Ok(read.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect())
}

fn json(path: &Path) -> Result<Value, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|cause| format!("cannot read {}: {cause}", path.display()))?;
    serde_json::from_str(&text).map_err(|cause| format!("{}: {cause}", path.display()))
}

fn row(about: &Value, estimates: &Value) -> Result<Row, String> {
    let part = |name: &str| about[name].as_str();
    let (group, name) = part("group_id")
        .zip(part("function_id").or(part("value_str")))
        .ok_or_else(|| format!("a row without a name: {about}"))?;
    let median = estimates["median"]["point_estimate"]
        .as_f64()
        .ok_or_else(|| format!("{group} / {name} has no median"))?;
    let elements = about["throughput"]["Elements"].as_f64().unwrap_or(1.0);
    Ok(Row { id: format!("{group} / {name}"), nanos: median / elements })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_of_many_elements_is_told_for_one() {
        let estimates = json!({"median": {"point_estimate": 5000.0}});
        let about = json!({"group_id": "g", "function_id": "f", "throughput": {"Elements": 100}});
        assert_eq!(row(&about, &estimates), Ok(Row { id: "g / f".to_owned(), nanos: 50.0 }));
        let about =
            json!({"group_id": "g", "function_id": null, "value_str": "10", "throughput": null});
        assert_eq!(row(&about, &estimates), Ok(Row { id: "g / 10".to_owned(), nanos: 5000.0 }));
        assert!(row(&json!({}), &estimates).is_err());
    }
}
