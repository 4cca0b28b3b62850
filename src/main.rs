//! The shim: arguments in, exit code out.

fn main() -> std::process::ExitCode {
    std::process::ExitCode::from(fleetctl::run(std::env::args_os()).code())
}
