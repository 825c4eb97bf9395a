// One function per command: hangs it with its options, descriptions and examples into the command line.
// Called once each by main.cc, in the order in which `cistern --help` lists them.
#pragma once

#include "tools/cli.h"

namespace cistern::tools {

void add_run(Cli& cli);
void add_chat(Cli& cli);
void add_inspect(Cli& cli);
void add_tokenize(Cli& cli);
void add_detokenize(Cli& cli);
void add_template(Cli& cli);
void add_parse(Cli& cli);
void add_logits(Cli& cli);
void add_embed(Cli& cli);
void add_rerank(Cli& cli);
void add_serve(Cli& cli);
void add_pull(Cli& cli);
void add_plan(Cli& cli);
void add_machine(Cli& cli);
void add_bench(Cli& cli);
void add_make_model(Cli& cli);
void add_completions(Cli& cli);
void add_man(Cli& cli);

}  // namespace cistern::tools
