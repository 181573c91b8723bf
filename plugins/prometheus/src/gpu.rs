//! Requests of GPUs under all their names, as kube-state-metrics spells them: whole ones, and
//! slices of one by their number.

/// GPUs of which one is a whole, and the memory by which the slices of an A30 are known: it has
/// four of them, and other GPUs have seven.
const WHOLE: &str = ".*_com_gpu|gpu_intel_com_i915|gpu_intel_com_xe|habana_ai_gaudi";
const OF_FOUR: &str = "nvidia_com_mig_(1c_)?(1g_6gb|2g_12gb|4g_24gb).*";

/// The part of a GPU that is written for a resource, as a decimal number.
pub type Part = (String, String);

/// The query for GPUs by namespace, pod and container.
pub fn requested(parts: &[Part]) -> String {
    let written: Vec<String> = parts.iter().map(|(resource, _)| label(resource)).collect();
    let mut terms: Vec<String> =
        parts.iter().map(|(resource, part)| term(&label(resource), "", part)).collect();
    let without = |more: &str| {
        let names =
            written.iter().map(String::as_str).chain(Some(more)).filter(|it| !it.is_empty());
        names.collect::<Vec<_>>().join("|")
    };
    terms.push(term(WHOLE, &without(""), "1"));
    for slices in [1, 2, 3, 4, 7] {
        let name = format!("nvidia_com_mig_({slices}g|{slices}c_[0-9]g)_.*");
        terms.push(term(
            &name,
            &without(&format!("{OF_FOUR}|.*_shared")),
            &format!("{slices} / 7"),
        ));
    }
    for (slices, name) in [(1, "(1g_6gb|1c_2g_12gb|1c_4g_24gb)"), (2, "2g_12gb"), (4, "4g_24gb")] {
        let name = format!("nvidia_com_mig_{name}.*");
        terms.push(term(&name, &without(".*_shared"), &format!("{slices} / 4")));
    }
    format!("sum by (namespace, pod, container) ({})", terms.join(" or "))
}

/// Several servers show the same request, so the highest counts. The resource stays, so that `or`
/// hides none.
fn term(resources: &str, without: &str, part: &str) -> String {
    let without =
        if without.is_empty() { String::new() } else { format!(",resource!~\"{without}\"") };
    format!(
        "max by (namespace, pod, container, resource) \
         (kube_pod_container_resource_requests{{resource=~\"{resources}\"{without}}}) * {part}"
    )
}

fn label(resource: &str) -> String {
    resource.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_gpu_has_a_term_and_none_has_two() {
        let parts = [("nvidia.com/gpu.shared".to_owned(), "0.25".to_owned())];
        let query = requested(&parts);
        let of = |term: &str| assert!(query.contains(term), "{term} is not in\n{query}");
        of("{resource=~\"nvidia_com_gpu_shared\"}) * 0.25 or ");
        of("{resource=~\".*_com_gpu|gpu_intel_com_i915|gpu_intel_com_xe|habana_ai_gaudi\",\
            resource!~\"nvidia_com_gpu_shared\"}) * 1 or ");
        of("{resource=~\"nvidia_com_mig_(3g|3c_[0-9]g)_.*\",resource!~\"nvidia_com_gpu_shared|\
            nvidia_com_mig_(1c_)?(1g_6gb|2g_12gb|4g_24gb).*|.*_shared\"}) * 3 / 7 or ");
        of("{resource=~\"nvidia_com_mig_2g_12gb.*\",\
            resource!~\"nvidia_com_gpu_shared|.*_shared\"}) * 2 / 4");
        assert!(requested(&[]).contains("habana_ai_gaudi\"}) * 1 or "));
    }
}
