//! No script can exceed its limits: the charge goes to suspense, and the run goes on.

use crate::support::{HEADER, decided, rule, set};

fn limited(body: &str) -> String {
    decided(&set(&[("r", &rule(1, body, "pass()"))]), &[])
}

#[test]
fn an_endless_loop_ends() {
    let found = limited("let y = 2; loop { let x = 1; }");
    assert_eq!(
        found,
        "r.rhai:3:33: R203: the rule used up its limit of 100000 operations; is there an endless \
         loop? (it read nothing)"
    );
}

#[test]
fn recursion_ends() {
    let text = format!(
        "{HEADER}fn matches(charge) {{ down(1) }}\nfn allocate(charge) {{ pass() }}\nfn down(n) {{ \
         down(n + 1) }}\n"
    );
    let found = decided(&set(&[("r", &text)]), &[]);
    assert_eq!(
        found,
        "r.rhai:3:20: R203: the rule's calls went deeper than the limit of 12 levels (it read \
         nothing)"
    );
}

#[test]
fn bombs_do_not_go_off() {
    for (body, what) in [
        ("let s = \"x\"; loop { s += s; }", "length of string"),
        ("let a = [1]; loop { a += a; }", "size of array"),
        ("let a = []; loop { a.push(1); }", "size of array"),
        (
            "let m = #{}; for n in 0..1100 { m[\"k\" + n] = n; } (m + #{}).len() > 0",
            "size of object map",
        ),
        ("let s = \"\"; s.pad(1000000000, 'x'); true", "length of string"),
        ("let b = blob(1000000000); true", "size"),
    ] {
        let found = limited(body);
        assert!(
            found.contains("R203: ")
                && found.contains(what)
                && found.contains("is beyond the limit (texts 4096 bytes"),
            "{body}: {found}"
        );
    }
    let many: String = (0..80).map(|n| format!("let v{n} = 1; ")).collect();
    assert!(
        limited(&format!("{many} true"))
            .contains("R203: the rule declared more than the limit of 64 variables"),
        "{}",
        limited(&format!("{many} true"))
    );
}

#[test]
fn the_deepest_rule_fits_a_small_stack() {
    // Each level is nested as deep as the compiler allows, and calls the next one at the bottom.
    let nested = |inner: &str| format!("{}{inner}{}", "(1 + ".repeat(25), ")".repeat(25));
    let text = format!(
        "{HEADER}fn matches(charge) {{ down() == 1 }}\nfn allocate(charge) {{ pass() }}\nfn down() \
         {{ {} }}\n",
        nested("down()")
    );
    let run = move || decided(&set(&[("r", &text)]), &[]);
    let thread = std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(run)
        .unwrap_or_else(|error| panic!("{error}"));
    let found = thread.join().unwrap_or_else(|_| panic!("the stack did not hold"));
    assert!(
        found.contains("R203: the rule's calls went deeper than the limit of 12 levels"),
        "{found}"
    );
}

#[test]
fn too_deep_an_expression_does_not_compile() {
    let deep = format!("{}1{} == 1", "(".repeat(200), ")".repeat(200));
    let found =
        crate::support::try_set(&[("r", &rule(1, &deep, "pass()"))], &[]).err().unwrap_or_default();
    assert_eq!(found.first().map(|finding| finding.code.text()), Some("R101"), "{found:?}");
}

#[test]
fn functions_found_by_name_reach_no_further() {
    for name in ["sleep", "eval"] {
        let found = limited(&format!("Fn(\"{name}\").call(1); true"));
        assert!(found.starts_with("r.rhai:3:") && found.contains(": R204: "), "{name}: {found}");
    }
}
