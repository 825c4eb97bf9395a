// The commands that print this very command line in other forms: completion scripts and the manual.
#include <memory>

#include "tools/commands.h"
#include "tools/output.h"

namespace cistern::tools {

void add_completions(Cli& cli) {
  auto shell = std::make_shared<std::string>();
  CLI::App& app = cli.add(
      {.name = "completions",
       .summary = "Print a completion script for bash, zsh or fish",
       .description =
           "Prints a script that lets the shell complete commands, options, model names and files.",
       .examples = {{"source <(cistern completions bash)",
                     "for this bash session; put the line into ~/.bashrc to keep it"},
                    {"cistern completions zsh > ~/.zfunc/_cistern",
                     "for zsh, with ~/.zfunc in fpath before compinit"},
                    {"cistern completions fish > ~/.config/fish/completions/cistern.fish", "for fish"}}},
      [&cli, shell]() -> Result<int> {
        CISTERN_TRY_VOID(write_stdout(completion_script(cli, *shell)));
        return 0;
      });
  add_choice(app, "SHELL", *shell, {"bash", "zsh", "fish"}, "The shell: bash, zsh or fish")->required();
}

void add_man(Cli& cli) {
  cli.add({.name = "man",
           .summary = "Print the manual page",
           .description = "Prints the manual page in roff, made from the same descriptions as --help.",
           .examples = {{"cistern man | man -l -", "read it"},
                        {"cistern man > ~/.local/share/man/man1/cistern.1", "install it for 'man cistern'"}}},
          [&cli]() -> Result<int> {
            CISTERN_TRY_VOID(write_stdout(man_page(cli)));
            return 0;
          });
}

}  // namespace cistern::tools
