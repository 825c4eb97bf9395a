// The cistern program: fills the command line and runs the chosen command.
#include "tools/cli.h"
#include "tools/commands.h"

int main(int argc, char** argv) {
  cistern::tools::Cli cli;
  cistern::tools::add_run(cli);
  cistern::tools::add_chat(cli);
  cistern::tools::add_inspect(cli);
  cistern::tools::add_tokenize(cli);
  cistern::tools::add_detokenize(cli);
  cistern::tools::add_template(cli);
  cistern::tools::add_parse(cli);
  cistern::tools::add_logits(cli);
  cistern::tools::add_embed(cli);
  cistern::tools::add_rerank(cli);
  cistern::tools::add_serve(cli);
  cistern::tools::add_pull(cli);
  cistern::tools::add_plan(cli);
  cistern::tools::add_machine(cli);
  cistern::tools::add_bench(cli);
  cistern::tools::add_make_model(cli);
  cistern::tools::add_completions(cli);
  cistern::tools::add_man(cli);
  return cli.main(argc, argv);
}
