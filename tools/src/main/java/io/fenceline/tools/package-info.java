/// The command `fenceline`: one class a subcommand, and no logic that the libraries lack.
///
/// | class | holds |
/// |---|---|
/// | [Fenceline] | `main`, the subcommands, errors to one line and an exit code |
/// | [ExitCodes] | every exit code, and which problem gets which |
/// | [Console] | the three standard streams; what is a terminal; the closed pipe |
/// | [Printable] | the one place that makes foreign text harmless for a terminal |
/// | [Progress] | the progress bar |
/// | [JsonObject] | JSON output |
package io.fenceline.tools;
