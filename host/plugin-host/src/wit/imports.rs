//! The interfaces that the host offers, under the names of the version that a component was made
//! for.
//!
//! No function that a component calls has changed since the minor version before the newest. So
//! the same functions stand under the names of both.

use super::bindings::{
    aws_cost_explorer, aws_organizations, coverage, deliveries, file, http, kubernetes, log,
    run_info, table_decode,
};
use super::{PACKAGE, is_of_newest_minor};
use crate::capability::State;
use crate::power::Power;
use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker, LinkerInstance};

/// Adds the functions of one interface.
type Add = fn(&mut LinkerInstance<'_, State>, fn(&mut State) -> &mut State) -> wasmtime::Result<()>;

fn offer(
    linker: &mut Linker<State>,
    interface: &str,
    contract: &str,
    add: Add,
) -> wasmtime::Result<()> {
    let mut instance = linker.instance(&format!("{PACKAGE}{interface}@{contract}"))?;
    add(&mut instance, |state| state)
}

/// Links the log and nothing else.
pub fn pure_linker(engine: &Engine, contract: &str) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    let add = log::add_to_linker_instance::<State, HasSelf<State>>;
    offer(&mut linker, "log", contract, add)?;
    Ok(linker)
}

/// Links the log, the facts of the run, and the powers. Nothing else is linked, and no WASI.
pub fn linker(
    engine: &Engine,
    powers: &[Power],
    contract: &str,
) -> wasmtime::Result<Linker<State>> {
    let mut linker = pure_linker(engine, contract)?;
    let always: [(&str, Add); 2] = [
        ("run-info", run_info::add_to_linker_instance::<State, HasSelf<State>>),
        ("coverage", coverage::add_to_linker_instance::<State, HasSelf<State>>),
    ];
    for (interface, add) in always {
        offer(&mut linker, interface, contract, add)?;
    }
    if is_of_newest_minor(contract) {
        let add = deliveries::add_to_linker_instance::<State, HasSelf<State>>;
        offer(&mut linker, "deliveries", contract, add)?;
    }
    for power in powers {
        let add: Add = match power {
            Power::TableDecode => table_decode::add_to_linker_instance::<State, HasSelf<State>>,
            Power::File => file::add_to_linker_instance::<State, HasSelf<State>>,
            Power::Http => http::add_to_linker_instance::<State, HasSelf<State>>,
            Power::Kubernetes => kubernetes::add_to_linker_instance::<State, HasSelf<State>>,
            Power::AwsCostExplorer => {
                aws_cost_explorer::add_to_linker_instance::<State, HasSelf<State>>
            }
            Power::AwsOrganizations => {
                aws_organizations::add_to_linker_instance::<State, HasSelf<State>>
            }
            // The host itself reads the store.
            Power::ObjectStore => continue,
        };
        offer(&mut linker, power.name(), contract, add)?;
    }
    Ok(linker)
}
