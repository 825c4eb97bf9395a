#include "text/answer/format.h"

namespace cistern::text {
namespace {

constexpr Step text(std::string_view t) {
  return {Step::Kind::kText, t};
}
constexpr Step maybe(std::string_view t) {
  return {Step::Kind::kMaybe, t};
}
constexpr Step space(std::string_view written = {}) {
  return {Step::Kind::kSpace, written};
}
constexpr Step name(std::string_view ends) {
  return {Step::Kind::kName, ends};
}
constexpr Step id(std::string_view ends) {
  return {Step::Kind::kId, ends};
}
constexpr Step numbered_name(std::string_view ends) {
  return {Step::Kind::kNumberedName, ends};
}
constexpr Step kObject{Step::Kind::kObject, {}};
constexpr Step kArguments{Step::Kind::kArguments, {}};
constexpr Step kParameters{Step::Kind::kParameters, {}};
constexpr Step kString{Step::Kind::kString, {}};

constexpr auto kCall = Program::Gives::kCall;
constexpr auto kReasoning = Program::Gives::kReasoning;
constexpr auto kContent = Program::Gives::kContent;
constexpr auto kResponse = Program::Gives::kResponse;

// Thinking, as most models mark it.
constexpr Step kThinkTag[] = {text("<think>")};
constexpr Program kThink{.gives = kReasoning, .steps = kThinkTag, .at_start = true, .until = "</think>"};

constexpr Step kNameArguments[] = {text("{\"name\": \""), name("\""), text("\", \"arguments\": "), kArguments,
                                   text("}")};
constexpr Step kNameParameters[] = {text("{\"name\": \""), name("\""), text("\", \"parameters\": "),
                                    kArguments, text("}")};
constexpr Step kCommaObject[] = {text(","), space(" "), kObject};
constexpr Step kBracketEnd[] = {text("]")};

// Hermes 2 Pro, Qwen 2.5 and 3, Granite 4.
constexpr Step kHermesCall[] = {text("<tool_call>"), space("\n"), kObject};
constexpr Step kHermesNext[] = {space("\n"), text("<tool_call>"), space("\n"), kObject};
constexpr Step kHermesEnd[] = {space("\n"), text("</tool_call>")};
constexpr Program kHermes[] = {kThink, {.gives = kCall, .steps = kHermesCall}};

// Llama 3.1 to 3.3: the answer is the call.
constexpr Step kBareObject[] = {kObject};
constexpr Step kPythonTagObject[] = {text("<|python_tag|>"), space(), kObject};
constexpr Step kLlama3Next[] = {maybe(";"), space(" "), kObject};
constexpr Program kLlama3[] = {kThink,
                               {.gives = kCall, .steps = kBareObject, .at_start = true},
                               {.gives = kCall, .steps = kPythonTagObject}};

// Mistral.
constexpr Step kMistralThinkTag[] = {text("[THINK]")};
constexpr Program kMistralThink{
    .gives = kReasoning, .steps = kMistralThinkTag, .at_start = true, .until = "[/THINK]"};
constexpr Step kMistral3Call[] = {text("[TOOL_CALLS]"), space(), text("["), space(), kObject};
constexpr Step kMistral3Object[] = {text("{\"name\": \""),
                                    name("\""),
                                    text("\", \"arguments\": "),
                                    kArguments,
                                    text(", \"id\": \""),
                                    id("\""),
                                    text("\"}")};
constexpr Program kMistral3[] = {kMistralThink, kThink, {.gives = kCall, .steps = kMistral3Call}};
constexpr Step kMistral11Call[] = {text("[TOOL_CALLS]"), name("["), text("[ARGS]"), space(), kArguments};
constexpr Step kMistralIdCall[] = {text("[TOOL_CALLS]"), name("["), text("[CALL_ID]"), id("["),
                                   text("[ARGS]"),       space(),   kArguments};
constexpr Program kMistral11[] = {kMistralThink,
                                  kThink,
                                  {.gives = kCall, .steps = kMistral11Call},
                                  {.gives = kCall, .steps = kMistralIdCall}};
constexpr Program kMistralId[] = {kMistralThink,
                                  kThink,
                                  {.gives = kCall, .steps = kMistralIdCall},
                                  {.gives = kCall, .steps = kMistral11Call}};

// DeepSeek V3 and R1, V3.1, and V3.2 with the marks of V4.
constexpr Step kDeepSeek3Call[] = {text("<｜tool▁calls▁begin｜>"),
                                   space(),
                                   text("<｜tool▁call▁begin｜>"),
                                   text("function"),
                                   text("<｜tool▁sep｜>"),
                                   name("\n"),
                                   space("\n"),
                                   text("```json"),
                                   space("\n"),
                                   kArguments};
constexpr auto kDeepSeek3Next = std::span(kDeepSeek3Call).subspan(2);
constexpr Step kDeepSeek3CallEnd[] = {space("\n"), text("```"), text("<｜tool▁call▁end｜>")};
constexpr Step kDeepSeekEnd[] = {text("<｜tool▁calls▁end｜>")};
constexpr Program kDeepSeek3[] = {
    kThink, {.gives = kCall, .steps = kDeepSeek3Call}, {.gives = kCall, .steps = kDeepSeek3Next}};
constexpr Step kDeepSeek31Call[] = {text("<｜tool▁calls▁begin｜>"),
                                    space(),
                                    text("<｜tool▁call▁begin｜>"),
                                    name("<"),
                                    text("<｜tool▁sep｜>"),
                                    space(),
                                    kArguments};
constexpr auto kDeepSeek31Next = std::span(kDeepSeek31Call).subspan(2);
constexpr Step kDeepSeek31CallEnd[] = {text("<｜tool▁call▁end｜>")};
constexpr Program kDeepSeek31[] = {
    kThink, {.gives = kCall, .steps = kDeepSeek31Call}, {.gives = kCall, .steps = kDeepSeek31Next}};
constexpr Step kDsmlInvoke[] = {
    space("\n"), text("<｜DSML｜invoke name=\""), name("\""), text("\">"), space("\n"), kParameters,
    space(),     text("</｜DSML｜invoke>")};
constexpr Step kDsml32Call[] = {text("<｜DSML｜function_calls>"),
                                space("\n"),
                                text("<｜DSML｜invoke name=\""),
                                name("\""),
                                text("\">"),
                                space("\n"),
                                kParameters,
                                space(),
                                text("</｜DSML｜invoke>")};
constexpr Step kDsml4Call[] = {text("<｜DSML｜tool_calls>"),
                               space("\n"),
                               text("<｜DSML｜invoke name=\""),
                               name("\""),
                               text("\">"),
                               space("\n"),
                               kParameters,
                               space(),
                               text("</｜DSML｜invoke>")};
constexpr Step kDsml32End[] = {space("\n"), text("</｜DSML｜function_calls>")};
constexpr Step kDsml4End[] = {space("\n"), text("</｜DSML｜tool_calls>")};
constexpr Program kDsml32[] = {kThink, {.gives = kCall, .steps = kDsml32Call}};
constexpr Program kDsml4[] = {kThink, {.gives = kCall, .steps = kDsml4Call}};
constexpr ParameterMarks kDsmlParameter{.open = "<｜DSML｜parameter name=\"",
                                        .key_end = "\"",
                                        .value_begin = ">",
                                        .close = "</｜DSML｜parameter>",
                                        .before_text = " string=\"true\"",
                                        .before_json = " string=\"false\""};

// gpt-oss: messages on channels. A call is a message to functions.NAME.
constexpr Step kAnalysis[] = {text("<|channel|>analysis"), space(), text("<|message|>")};
constexpr Step kFinal[] = {text("<|channel|>final"), space(), maybe("<|constrain|>"), maybe("json"), space(),
                           text("<|message|>")};
constexpr Step kCommentary[] = {text("<|channel|>commentary"), space(), text("<|message|>")};
constexpr Step kCommentaryCall[] = {text("<|channel|>commentary to=functions."),
                                    name(" <"),
                                    space(" "),
                                    maybe("<|constrain|>"),
                                    maybe("json"),
                                    space(),
                                    text("<|message|>"),
                                    space(),
                                    kArguments};
constexpr Step kAnalysisCall[] = {text("<|channel|>analysis to=functions."),
                                  name(" <"),
                                  space(),
                                  maybe("<|constrain|>"),
                                  maybe("json"),
                                  space(),
                                  text("<|message|>"),
                                  space(),
                                  kArguments};
constexpr Step kRoleCall[] = {text("<|start|>assistant to=functions."),
                              name(" <"),
                              space(),
                              text("<|channel|>"),
                              maybe("commentary"),
                              maybe("analysis"),
                              space(),
                              maybe("<|constrain|>"),
                              maybe("json"),
                              space(),
                              text("<|message|>"),
                              space(),
                              kArguments};
constexpr Step kStartCall[] = {text("to=functions."),
                               name(" <"),
                               space(),
                               text("<|channel|>"),
                               maybe("commentary"),
                               maybe("analysis"),
                               space(),
                               maybe("<|constrain|>"),
                               maybe("json"),
                               space(),
                               text("<|message|>"),
                               space(),
                               kArguments};
constexpr Step kHarmonyCallEnd[] = {text("<|call|>")};
constexpr Step kMessageEnd[] = {text("<|end|>")};
constexpr Step kMessageStart[] = {text("<|start|>assistant")};
constexpr Step kReturn[] = {text("<|return|>")};
constexpr Program kHarmony[] = {
    {.gives = kReasoning, .steps = kAnalysis, .until = "<|end|>", .then = "<|start|>assistant"},
    {.gives = kCall, .steps = kCommentaryCall},
    {.gives = kCall, .steps = kAnalysisCall},
    {.gives = kCall, .steps = kRoleCall},
    {.gives = kCall, .steps = kStartCall, .at_start = true},
    {.gives = kContent, .steps = kFinal},
    {.gives = kContent, .steps = kCommentary},
    {.gives = kContent, .steps = kMessageEnd},
    {.gives = kContent, .steps = kMessageStart},
    {.gives = kContent, .steps = kReturn},
    {.gives = kContent, .steps = kHarmonyCallEnd},
};

// Qwen3-Coder, Qwen3.5, Nemotron 3; Seed-OSS with marks of its own.
constexpr Step kQwenCoderCall[] = {text("<tool_call>"), space("\n"), text("<function="),
                                   name(">"),           text(">"),   space("\n"),
                                   kParameters,         space(),     text("</function>")};
constexpr Step kQwenCoderNext[] = {space("\n"), text("<tool_call>"), space("\n"), text("<function="),
                                   name(">"),   text(">"),           space("\n"), kParameters,
                                   space(),     text("</function>")};
constexpr auto kQwenCoderBare = std::span(kQwenCoderCall).subspan(2);
constexpr Program kQwenCoder[] = {
    kThink, {.gives = kCall, .steps = kQwenCoderCall}, {.gives = kCall, .steps = kQwenCoderBare}};
constexpr ParameterMarks kQwenParameter{
    .open = "<parameter=", .key_end = ">", .close = "</parameter>", .padding = "\n"};
constexpr Step kSeedThinkTag[] = {text("<seed:think>")};
constexpr Step kSeedCall[] = {text("<seed:tool_call>"),
                              space("\n"),
                              text("<function="),
                              name(">"),
                              text(">"),
                              space("\n"),
                              kParameters,
                              space(),
                              text("</function>")};
constexpr Step kSeedNext[] = {space("\n"), text("<seed:tool_call>"),
                              space("\n"), text("<function="),
                              name(">"),   text(">"),
                              space("\n"), kParameters,
                              space(),     text("</function>")};
constexpr Step kSeedEnd[] = {space("\n"), text("</seed:tool_call>")};
constexpr Program kSeed[] = {
    {.gives = kReasoning, .steps = kSeedThinkTag, .at_start = true, .until = "</seed:think>"},
    {.gives = kCall, .steps = kSeedCall}};
constexpr ParameterMarks kSeedParameter{.open = "<parameter=", .key_end = ">", .close = "</parameter>"};

// GLM 4.5 and 4.6.
constexpr Step kGlmCall[] = {text("<tool_call>"), name("\n<"), space("\n"),
                             kParameters,         space(),     text("</tool_call>")};
constexpr Step kGlmNext[] = {space("\n"), text("<tool_call>"), name("\n<"), space("\n"), kParameters,
                             space(),     text("</tool_call>")};
constexpr Program kGlm[] = {kThink, {.gives = kCall, .steps = kGlmCall}};
constexpr ParameterMarks kGlmParameter{.open = "<arg_key>",
                                       .key_end = "</arg_key>",
                                       .value_begin = "<arg_value>",
                                       .close = "</arg_value>",
                                       .before_text = "\n",
                                       .before_json = "\n"};

// MiniMax M2.
constexpr Step kMiniMaxCall[] = {text("<minimax:tool_call>"),
                                 space("\n"),
                                 text("<invoke name=\""),
                                 name("\""),
                                 text("\">"),
                                 space("\n"),
                                 kParameters,
                                 space(),
                                 text("</invoke>")};
constexpr Step kMiniMaxNext[] = {
    space("\n"), text("<invoke name=\""), name("\""), text("\">"), space("\n"), kParameters,
    space(),     text("</invoke>")};
constexpr Step kMiniMaxEnd[] = {space("\n"), text("</minimax:tool_call>")};
constexpr Program kMiniMax[] = {kThink, {.gives = kCall, .steps = kMiniMaxCall}};
constexpr ParameterMarks kMiniMaxParameter{
    .open = "<parameter name=\"", .key_end = "\">", .close = "</parameter>"};

// Kimi K2.
constexpr Step kKimiCall[] = {text("<|tool_calls_section_begin|>"),
                              space(),
                              text("<|tool_call_begin|>"),
                              numbered_name("<"),
                              text("<|tool_call_argument_begin|>"),
                              space(),
                              kArguments};
constexpr auto kKimiNext = std::span(kKimiCall).subspan(2);
constexpr Step kKimiCallEnd[] = {text("<|tool_call_end|>")};
constexpr Step kKimiEnd[] = {text("<|tool_calls_section_end|>")};
constexpr Program kKimi[] = {
    kThink, {.gives = kCall, .steps = kKimiCall}, {.gives = kCall, .steps = kKimiNext}};

// Functionary.
constexpr Step kFunctionTagCall[] = {text("<function="), name(">"), text(">"), space(), kArguments};
constexpr Step kFunctionTagEnd[] = {text("</function>")};
constexpr Program kFunctionary31[] = {kThink, {.gives = kCall, .steps = kFunctionTagCall}};
constexpr Step kAllFirst[] = {text("all\n")};
constexpr Step kAllLater[] = {text(">>>all\n")};
constexpr Step kRecipientCall[] = {name("\n"), text("\n"), space(), kArguments};
constexpr Step kRecipientNext[] = {text(">>>"), name("\n"), text("\n"), space(), kArguments};
constexpr Program kFunctionary32[] = {
    {.gives = kContent, .steps = kAllFirst, .at_start = true},
    {.gives = kContent, .steps = kAllLater},
    {.gives = kCall, .steps = kRecipientCall, .at_start = true},
    {.gives = kCall, .steps = kRecipientNext},
};

// Cohere's Command R7B and Command A.
constexpr Step kCohereThink[] = {text("<|START_THINKING|>")};
constexpr Step kCohereCall[] = {text("<|START_ACTION|>"), space(), text("["), space("\n    "), kObject};
constexpr Step kCohereNext[] = {text(","), space("\n    "), kObject};
constexpr Step kCohereObject[] = {text("{\"tool_call_id\": \""),
                                  id("\""),
                                  text("\", \"tool_name\": \""),
                                  name("\""),
                                  text("\", \"parameters\": "),
                                  kArguments,
                                  text("}")};
constexpr Step kCohereEnd[] = {space("\n"), text("]"), text("<|END_ACTION|>")};
constexpr Step kResponseBegin[] = {text("<|START_RESPONSE|>")};
constexpr Step kResponseEnd[] = {text("<|END_RESPONSE|>")};
constexpr Step kTextBegin[] = {text("<|START_TEXT|>")};
constexpr Step kTextEnd[] = {text("<|END_TEXT|>")};
constexpr Program kCohere[] = {
    {.gives = kReasoning, .steps = kCohereThink, .at_start = true, .until = "<|END_THINKING|>"},
    {.gives = kCall, .steps = kCohereCall},
    {.gives = kContent, .steps = kResponseBegin},
    {.gives = kContent, .steps = kResponseEnd},
    {.gives = kContent, .steps = kTextBegin},
    {.gives = kContent, .steps = kTextEnd},
};

// Lists of objects after a mark: Nemotron Nano 2, Granite 3, Phi-4 mini and Firefunction, MiniMax M1 and
// Apriel.
constexpr Step kNemotronCall[] = {text("<TOOLCALL>"), space(), text("["), space(), kObject};
constexpr Step kNemotronEnd[] = {text("]"), text("</TOOLCALL>")};
constexpr Program kNemotron[] = {kThink, {.gives = kCall, .steps = kNemotronCall}};
constexpr Step kGraniteCall[] = {text("<|tool_call|>"), space(), text("["), space(), kObject};
constexpr Step kGraniteResponse[] = {text("<response>")};
constexpr Step kGraniteResponseEnd[] = {text("</response>")};
constexpr Program kGranite[] = {kThink,
                                {.gives = kCall, .steps = kGraniteCall},
                                {.gives = kContent, .steps = kGraniteResponse, .at_start = true},
                                {.gives = kContent, .steps = kGraniteResponseEnd}};
constexpr Step kFunctoolsCall[] = {text("functools["), space(), kObject};
constexpr Program kFunctools[] = {kThink, {.gives = kCall, .steps = kFunctoolsCall}};
constexpr Step kToolCallsList[] = {text("<tool_calls>"), space("\n"), text("["), space(), kObject};
constexpr Step kToolCallsLines[] = {text("<tool_calls>"), space("\n"), kObject};
constexpr Step kToolCallsNext[] = {maybe(","), space("\n"), kObject};
constexpr Step kToolCallsEnd[] = {space("\n"), maybe("]"), text("</tool_calls>")};
constexpr Program kToolCalls[] = {
    kThink, {.gives = kCall, .steps = kToolCallsList}, {.gives = kCall, .steps = kToolCallsLines}};

// Apertus: the name is the only member.
constexpr Step kApertusThink[] = {text("<|inner_prefix|>")};
constexpr Step kApertusCall[] = {text("<|tools_prefix|>"),
                                 space(),
                                 text("["),
                                 space(),
                                 text("{\""),
                                 name("\""),
                                 text("\":"),
                                 space(" "),
                                 kArguments,
                                 space(),
                                 text("}")};
constexpr Step kApertusNext[] = {text(","),  space(" "), text("{\""), name("\""), text("\":"),
                                 space(" "), kArguments, space(),     text("}")};
constexpr Step kApertusEnd[] = {text("]"), text("<|tools_suffix|>")};
constexpr Program kApertus[] = {
    {.gives = kReasoning, .steps = kApertusThink, .at_start = true, .until = "<|inner_suffix|>"},
    {.gives = kCall, .steps = kApertusCall}};

// Models without a format of their own: one JSON document that is calls or a response; also the bare lists
// and fenced objects that such models write (xLAM, Gemma 3).
constexpr Step kGenericOne[] = {
    text("{"), space(), text("\"tool_call\""), space(), text(":"), space(), kObject, space(), text("}")};
constexpr Step kGenericMany[] = {
    text("{"), space(), text("\"tool_calls\""), space(), text(":"), space(" "), text("["), space(), kObject};
constexpr Step kGenericResponse[] = {
    text("{"), space(), text("\"response\""), space(), text(":"), space(), kString, space(), text("}")};
constexpr Step kGenericFence[] = {text("```json"), space(),    maybe("["), space(),     kObject,
                                  space(),         maybe("]"), space(),    maybe("```")};
constexpr Step kGenericCallFence[] = {text("```tool_call"), space(), maybe("["),  space(), kObject, space(),
                                      maybe("]"),           space(), maybe("```")};
constexpr Step kGenericList[] = {text("["), space(), kObject};
constexpr Step kGenericNext[] = {space(), text(","), space(" "), kObject};
constexpr Step kGenericEnd[] = {text("]"), text("}")};
constexpr Program kGeneric[] = {
    kThink,
    {.gives = kCall, .steps = kGenericMany, .at_start = true},
    {.gives = kCall, .steps = kGenericOne, .at_start = true},
    {.gives = kResponse, .steps = kGenericResponse, .at_start = true},
    {.gives = kCall, .steps = kBareObject, .at_start = true},
    {.gives = kCall, .steps = kGenericList, .at_start = true},
    {.gives = kCall, .steps = kGenericFence},
    {.gives = kCall, .steps = kGenericCallFence},
};

constexpr std::string_view kNineLetters =
    "[a-zA-Z0-9] [a-zA-Z0-9] [a-zA-Z0-9] [a-zA-Z0-9] [a-zA-Z0-9] [a-zA-Z0-9] [a-zA-Z0-9] [a-zA-Z0-9] "
    "[a-zA-Z0-9]";

constexpr Format kFormats[] = {
    {.name = "hermes",
     .programs = kHermes,
     .next = kHermesNext,
     .call_end = kHermesEnd,
     .object = kNameArguments},
    {.name = "llama3-json",
     .programs = kLlama3,
     .next = kLlama3Next,
     .object = kNameParameters,
     .known_members_only = true},
    {.name = "mistral-v3",
     .programs = kMistral3,
     .next = kCommaObject,
     .section_end = kBracketEnd,
     .object = kMistral3Object,
     .id_pattern = kNineLetters},
    {.name = "mistral-v11", .programs = kMistral11, .next = kMistral11Call},
    {.name = "mistral-v11-callid",
     .programs = kMistralId,
     .next = kMistralIdCall,
     .id_pattern = kNineLetters},
    {.name = "deepseek-v3",
     .programs = kDeepSeek3,
     .next = kDeepSeek3Next,
     .call_end = kDeepSeek3CallEnd,
     .section_end = kDeepSeekEnd},
    {.name = "deepseek-v3.1",
     .programs = kDeepSeek31,
     .next = kDeepSeek31Next,
     .call_end = kDeepSeek31CallEnd,
     .section_end = kDeepSeekEnd},
    {.name = "deepseek-v3.2",
     .programs = kDsml32,
     .next = kDsmlInvoke,
     .section_end = kDsml32End,
     .parameter = kDsmlParameter},
    {.name = "deepseek-v4",
     .programs = kDsml4,
     .next = kDsmlInvoke,
     .section_end = kDsml4End,
     .parameter = kDsmlParameter},
    {.name = "harmony", .programs = kHarmony},
    {.name = "qwen3-coder",
     .programs = kQwenCoder,
     .next = kQwenCoderNext,
     .call_end = kHermesEnd,
     .parameter = kQwenParameter},
    {.name = "seed-oss",
     .programs = kSeed,
     .next = kSeedNext,
     .call_end = kSeedEnd,
     .parameter = kSeedParameter},
    {.name = "glm-4.5", .programs = kGlm, .next = kGlmNext, .parameter = kGlmParameter},
    {.name = "minimax-m2",
     .programs = kMiniMax,
     .next = kMiniMaxNext,
     .section_end = kMiniMaxEnd,
     .parameter = kMiniMaxParameter},
    {.name = "kimi-k2",
     .programs = kKimi,
     .next = kKimiNext,
     .call_end = kKimiCallEnd,
     .section_end = kKimiEnd},
    {.name = "functionary-v3.1",
     .programs = kFunctionary31,
     .next = kFunctionTagCall,
     .call_end = kFunctionTagEnd},
    {.name = "functionary-v3.2", .programs = kFunctionary32, .next = kRecipientNext},
    {.name = "command-r7b",
     .programs = kCohere,
     .next = kCohereNext,
     .section_end = kCohereEnd,
     .object = kCohereObject,
     .id_pattern = "[0-9] [0-9]?"},
    {.name = "nemotron-v2",
     .programs = kNemotron,
     .next = kCommaObject,
     .section_end = kNemotronEnd,
     .object = kNameArguments},
    {.name = "granite-3",
     .programs = kGranite,
     .next = kCommaObject,
     .section_end = kBracketEnd,
     .object = kNameArguments},
    {.name = "functools",
     .programs = kFunctools,
     .next = kCommaObject,
     .section_end = kBracketEnd,
     .object = kNameArguments},
    {.name = "tool-calls",
     .programs = kToolCalls,
     .next = kToolCallsNext,
     .section_end = kToolCallsEnd,
     .object = kNameArguments},
    {.name = "apertus", .programs = kApertus, .next = kApertusNext, .section_end = kApertusEnd},
    {.name = "generic",
     .programs = kGeneric,
     .next = kGenericNext,
     .section_end = kGenericEnd,
     .object = kNameArguments,
     .known_members_only = true},
};

}  // namespace

std::span<const Format> all_formats() {
  return kFormats;
}

}  // namespace cistern::text
