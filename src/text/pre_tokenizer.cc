#include "text/pre_tokenizer.h"

#include <algorithm>

namespace cistern::text {
namespace {

using Names = std::string_view[];
using Kind = Split::Kind;

// ---- Splits
// -------------------------------------------------------------------------------------------------

constexpr std::string_view kGpt2 =
    R"re('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)re";

constexpr Split kGpt2Splits[] = {{kGpt2}};
constexpr Split kSingleDigitsGpt2[] = {{R"re(\p{N})re"}, {kGpt2}};

// cl100k and its relatives differ in how many digits stay together.
constexpr Split kLlama3[] = {
    {R"re((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re"}};
constexpr Split kQwen2[] = {
    {R"re((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re"}};
constexpr Split kQwen35[] = {
    {R"re((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re"}};
constexpr Split kSeedCoder[] = {
    {R"re((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+)re"}};
// Words stay together across single spaces: the published (?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+ without its
// nested repetition.
constexpr Split kExaoneMoe[] = {
    {R"re((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}\p{M}*(?: ?\p{L}\p{M}*)*|\p{N}|)re"
     R"re( ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+)re"}};
constexpr Split kBailingMoe[] = {
    {R"re('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)re"}};

// o200k and its relatives split words where lower case turns to upper case.
constexpr Split kGpt4o[] = {
    {R"re([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)re"
     R"re([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)re"
     R"re(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)re"}};
constexpr Split kTekken[] = {
    {R"re([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|)re"
     R"re([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|)re"
     R"re(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)re"}};
// The general categories partition Unicode, so "these categories but not Han" is "not the other ones and not
// Han".
constexpr Split kKimiK2[] = {
    {R"re(\p{sc:Han}+|)re"
     R"re([^\r\n\p{L}\p{N}]?[^\p{Ll}\p{N}\p{P}\p{S}\p{Z}\p{C}\p{sc:Han}]*[^\p{Lu}\p{Lt}\p{N}\p{P}\p{S}\p{Z}\p{C}\p{sc:Han}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)re"
     R"re([^\r\n\p{L}\p{N}]?[^\p{Ll}\p{N}\p{P}\p{S}\p{Z}\p{C}\p{sc:Han}]+[^\p{Lu}\p{Lt}\p{N}\p{P}\p{S}\p{Z}\p{C}\p{sc:Han}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)re"
     R"re(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re"}};
constexpr Split kYoutu[] = {
    {R"re([\x{AC00}-\x{D7A3}\x{3131}-\x{318E}]+|)re"
     R"re([\x{FF01}\x{2026}\x{201C}\x{201D}\x{2018}\x{2019}\x{2014}\x{FF1A}\x{FF1B}\x{FF0C}\x{3001}-\x{303F}\x{FE30}-\x{FE4F}]+|)re"
     R"re([\x{3105}-\x{312F}]+|[\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+)re"},
    {R"re([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)re"
     R"re([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)re"
     R"re(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)re"}};
constexpr Split kTinyAya[] = {{"", Kind::kDigitGroupsAtWordEnd}, kGpt4o[0]};

constexpr Split kDeepSeekLlm[] = {
    {R"re([\r\n])re"},
    {R"re(\s?[A-Za-z\x{B5}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1BA}\x{1BC}-\x{1BF}\x{1C4}-\x{293})re"
     R"re(\x{295}-\x{2AF}\x{370}-\x{373}\x{376}\x{377}\x{37B}-\x{37D}\x{37F}\x{386}\x{388}-\x{38A}\x{38C})re"
     R"re(\x{38E}-\x{3A1}\x{3A3}-\x{3F5}\x{3F7}-\x{481}\x{48A}-\x{52F}\x{531}-\x{556}\x{10A0}-\x{10C5})re"
     R"re(\x{13A0}-\x{13F5}\x{13F8}-\x{13FD}\x{1C90}-\x{1CBA}\x{1CBD}-\x{1CBF}\x{1D00}-\x{1D2B})re"
     R"re(\x{1D6B}-\x{1D77}\x{1D79}-\x{1D9A}\x{1E00}-\x{1F15}\x{1F18}-\x{1F1D}\x{1F20}-\x{1F45})re"
     R"re(\x{1F48}-\x{1F4D}\x{1F50}-\x{1F57}\x{1F59}\x{1F5B}\x{1F5D}\x{1F5F}-\x{1F7D}\x{1F80}-\x{1FB4})re"
     R"re(\x{1FB6}-\x{1FBC}\x{1FBE}\x{1FC2}-\x{1FC4}\x{1FC6}-\x{1FCC}\x{1FD0}-\x{1FD3}\x{1FD6}-\x{1FDB})re"
     R"re(\x{1FE0}-\x{1FEC}\x{1FF2}-\x{1FF4}\x{1FF6}-\x{1FFC}\x{2102}\x{2107}\x{210A}-\x{2113}\x{2115})re"
     R"re(\x{2119}-\x{211D}\x{2124}\x{2126}\x{2128}\x{212A}-\x{212D}\x{212F}-\x{2134}\x{2139}\x{213C}-\x{213F})re"
     R"re(\x{2145}-\x{2149}\x{214E}\x{2183}\x{2184}\x{2C00}-\x{2C7B}\x{2C7E}-\x{2CE4}\x{2CEB}-\x{2CEE}\x{2CF2})re"
     R"re(\x{2CF3}\x{A640}-\x{A66D}\x{A680}-\x{A69B}\x{A722}-\x{A76F}\x{A771}-\x{A787}\x{A78B}-\x{A78E})re"
     R"re(\x{AB70}-\x{ABBF}\x{FB00}-\x{FB06}\x{FB13}-\x{FB17}\x{FF21}-\x{FF3A}\x{FF41}-\x{FF5A})re"
     R"re(\x{10400}-\x{1044F}\x{104B0}-\x{104D3}\x{104D8}-\x{104FB}\x{10C80}-\x{10CB2}\x{10CC0}-\x{10CF2})re"
     R"re(\x{118A0}-\x{118DF}\x{1E900}-\x{1E943}]+)re"},
    {R"re(\s?[!-/:-~\x{FF01}-\x{FF0F}\x{FF1A}-\x{FF5E}\x{2018}-\x{201F}\x{3000}-\x{3002}]+)re"},
    {R"re((?<!\s)\s+$)re"},  // \s+$ in the file: the same, but in linear time
    {R"re([\x{4E00}-\x{9FA5}\x{800}-\x{4E00}\x{AC00}-\x{D7FF}]+)re"},
    {R"re(\p{N})re"}};
constexpr Split kDeepSeekCoder[] = {{R"re([\r\n])re"},
                                    {R"re(\s?\p{L}+)re"},
                                    {R"re(\s?\p{P}+)re"},
                                    {R"re([\x{4E00}-\x{9FA5}\x{800}-\x{4E00}\x{AC00}-\x{D7FF}]+)re"},
                                    {R"re(\p{N})re"}};
constexpr Split kDeepSeekV3[] = {
    {R"re(\p{N}{1,3})re"},
    {R"re([\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+)re"},
    {R"re([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|)re"
     R"re( ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re"}};

constexpr std::string_view kPunctuationRuns = R"re([\p{P}$+<=>^`|~]+)re";
// The last two steps of Falcon come after the byte mapping, where the bytes B2 B3 B9 BC BD BE look like the
// numbers that Latin-1 has at these places.
constexpr Split kFalcon[] = {{kPunctuationRuns},
                             {kGpt2},
                             {R"re([0-9\xB2\xB3\xB9\xBC-\xBE]+)re", Kind::kBytePattern},
                             {R"re([0-9][0-9][0-9])re", Kind::kBytePattern}};
constexpr Split kDefault[] = {
    {R"re([\p{P}$+<=>^|~]+)re"}, {kGpt2}, {R"re(\p{N}+)re"}, {R"re([0-9][0-9][0-9])re"}};

constexpr std::string_view kBloom =
    R"re( ?[^(\s|.,!?\x{2026}\x{3002}\x{FF0C}\x{3001}\x{964}\x{6D4}\x{60C})]+)re";
constexpr Split kBloomSplits[] = {{kBloom}};
constexpr Split kViking[] = {{kBloom}, {R"re(\p{N})re"}};
constexpr Split kSuperBpe[] = {{R"re(\p{N}+)re"}, {"", Kind::kDigitGroups}};
constexpr Split kChameleon[] = {{R"re(<sentinel:[0-9]+>)re"},    {R"re(IMGIMG[A-I]{1,4}Z)re"},
                                {R"re([\t\n]|    |  )re"},       {R"re(\p{N})re"},
                                {R"re([\p{P}!-/:-@\[-`{-~])re"}, {kGpt2}};

// ---- Names
// --------------------------------------------------------------------------------------------------

constexpr Names kDefaultNames = {"default"};
constexpr Names kGpt2Names = {"gpt-2",      "phi-2",    "jina-es",        "jina-de", "jina-v2-es",
                              "jina-v2-de", "gigachat", "a.x-4.0",        "mellum",  "jais",
                              "trillion",   "exaone4",  "granite-docling"};
constexpr Names kGpt2NfcNames = {"olmo", "mpt", "modern-bert"};
constexpr Names kRobertaNames = {"roberta-bpe", "jina-v1-en", "jina-v2-code"};
constexpr Names kSingleDigitsNames = {"starcoder", "refact",     "smollm", "codeshell",
                                      "exaone",    "minerva-7b", "mellum2"};
constexpr Names kCommandRNames = {"command-r"};
constexpr Names kLlama3Names = {"llama-bpe", "llama3",   "llama-v3", "falcon3",     "falcon-h1",
                                "pixtral",   "midm-2.0", "lfm2",     "jina-v5-nano"};
constexpr Names kCl100kNames = {"dbrx", "smaug-bpe", "chatglm-bpe"};
constexpr Names kGlm4Names = {"glm4"};
constexpr Names kQwen2Names = {"qwen2", "deepseek-r1-qwen", "f2llmv2", "stablelm2", "hunyuan"};
constexpr Names kQwen2NoNfcNames = {"megrez", "grok-2", "solar-open"};
constexpr Names kQwen35Names = {"qwen35"};
constexpr Names kSeedCoderNames = {"seed-coder"};
constexpr Names kBailingMoeNames = {"bailingmoe", "bailingmoe2", "llada-moe"};
constexpr Names kGpt4oNames = {"gpt-4o", "llama4", "minimax-m2", "kanana2"};
constexpr Names kTekkenNames = {"tekken"};
constexpr Names kKimiK2Names = {"kimi-k2"};
constexpr Names kYoutuNames = {"youtu"};
constexpr Names kTinyAyaNames = {"tiny_aya", "cohere2moe"};
constexpr Names kDeepSeekLlmNames = {"deepseek-llm"};
constexpr Names kDeepSeekCoderNames = {"deepseek-coder"};
constexpr Names kDeepSeekV3Names = {"deepseek-v3", "hunyuan-dense", "joyai-llm"};
constexpr Names kFalconNames = {"falcon"};
constexpr Names kBloomNames = {"bloom", "poro-chat", "gpt3-finnish"};
constexpr Names kVikingNames = {"viking"};
constexpr Names kSuperBpeNames = {"superbpe"};
constexpr Names kExaoneMoeNames = {"exaone-moe"};
constexpr Names kChameleonNames = {"chameleon"};
constexpr Names kGemma4Names = {"gemma4"};

constexpr PreTokenizer kTable[] = {
    {.names = kDefaultNames, .splits = kDefault},  // what llama.cpp does for files that name none
    {.names = kGpt2Names, .splits = kGpt2Splits},
    {.names = kGpt2NfcNames, .splits = kGpt2Splits, .nfc = true},
    {.names = kRobertaNames, .splits = kGpt2Splits, .adds_sep = true},
    {.names = kSingleDigitsNames, .splits = kSingleDigitsGpt2},
    {.names = kCommandRNames, .splits = kSingleDigitsGpt2, .nfc = true},
    {.names = kLlama3Names, .splits = kLlama3, .ignore_merges = true, .adds_bos = true},
    {.names = kCl100kNames, .splits = kLlama3},
    {.names = kGlm4Names, .splits = kLlama3, .ignore_merges = true},
    {.names = kQwen2Names, .splits = kQwen2, .nfc = true},  // hunyuan: tokenization_hy.py of Hunyuan-A13B
    {.names = kQwen2NoNfcNames, .splits = kQwen2},
    {.names = kQwen35Names, .splits = kQwen35, .nfc = true},
    {.names = kSeedCoderNames, .splits = kSeedCoder},
    {.names = kExaoneMoeNames, .splits = kExaoneMoe},
    {.names = kBailingMoeNames, .splits = kBailingMoe},
    {.names = kGpt4oNames, .splits = kGpt4o},
    {.names = kTekkenNames, .splits = kTekken, .ignore_merges = true, .adds_bos = true},
    {.names = kKimiK2Names, .splits = kKimiK2},
    {.names = kYoutuNames, .splits = kYoutu, .ignore_merges = true},
    {.names = kTinyAyaNames, .splits = kTinyAya},
    {.names = kDeepSeekLlmNames, .splits = kDeepSeekLlm},
    {.names = kDeepSeekCoderNames, .splits = kDeepSeekCoder},
    {.names = kDeepSeekV3Names, .splits = kDeepSeekV3},
    {.names = kFalconNames, .splits = kFalcon},
    {.names = kBloomNames, .splits = kBloomSplits},
    {.names = kVikingNames, .splits = kViking},
    {.names = kSuperBpeNames, .splits = kSuperBpe},
    {.names = kChameleonNames, .splits = kChameleon, .adds_bos = true},
    {.names = kGemma4Names, .splits = {}, .raw_utf8 = true, .adds_bos = true},
};

}  // namespace

const PreTokenizer* find_pre_tokenizer(std::string_view name) {
  if (name.empty()) name = "default";
  for (const PreTokenizer& row : kTable) {
    if (std::ranges::find(row.names, name) != row.names.end()) return &row;
  }
  return nullptr;
}

std::string known_pre_tokenizers() {
  std::string names;
  for (const PreTokenizer& row : kTable) {
    for (const std::string_view name : row.names) {
      if (!names.empty()) names += ", ";
      names += name;
    }
  }
  return names;
}

}  // namespace cistern::text
