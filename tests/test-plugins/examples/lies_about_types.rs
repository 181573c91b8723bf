//! Exports an interface of the right name with functions of other types.

wit_bindgen::generate!({
    inline: "
        package apportion:plugin@0.2.0;
        interface collect {
            describe: func() -> string;
            check: func() -> u32;
        }
        world liar { export collect; }
    ",
});

struct Guest;

impl exports::apportion::plugin::collect::Guest for Guest {
    fn describe() -> String {
        "trust me".into()
    }

    fn check() -> u32 {
        0
    }
}

export!(Guest);
