#include "text/template_probe.h"

#include <gtest/gtest.h>

#include <set>

#include "support/fixtures.h"
#include "text/answer/format.h"

namespace cistern::text {
namespace {

TemplateTraits probe(std::string_view source) {
  const auto parsed = jinja::Template::parse(source, "test");
  EXPECT_TRUE(parsed) << describe(parsed.error());
  return probe_template(*parsed, source);
}

constexpr std::string_view kPlain = "{% for m in messages %}[{{ m.role }}] {{ m.content }}{% endfor %}";

TEST(TemplateProbe, APlainTemplateKnowsMessagesOnly) {
  const TemplateTraits traits = probe(kPlain);
  EXPECT_TRUE(traits.renders && traits.knows_system);
  EXPECT_FALSE(traits.knows_tools || traits.knows_calls || traits.content_as_parts || traits.thinks);
  EXPECT_EQ(traits.thinking_switch, "");
}

TEST(TemplateProbe, SystemMessagesMayBeRefused) {
  const TemplateTraits traits = probe(
      "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no') }}{% endif %}{{ m.content "
      "}}"
      "{% endfor %}");
  EXPECT_TRUE(traits.renders);
  EXPECT_FALSE(traits.knows_system);
}

TEST(TemplateProbe, ContentMayHaveToBeParts) {
  EXPECT_TRUE(probe("{% for m in messages %}{% for p in m.content %}{{ p.text }}{% endfor %}{% endfor %}")
                  .content_as_parts);
  EXPECT_FALSE(probe("nothing of it").renders);
}

TEST(TemplateProbe, AbsentToolsMayHaveToBeUndefined) {
  const TemplateTraits traits =
      probe("{% for t in tools %}{{ t.function.name }}{% endfor %}{{ messages[0].content }}");
  EXPECT_TRUE(traits.renders && traits.absent_is_undefined && traits.knows_tools);
}

TEST(TemplateProbe, ArgumentsAreObjectsWhereTheTemplateWritesTheirJson) {
  const std::string begin = "{% for m in messages %}{{ m.content }}{% for c in m.tool_calls %}";
  const std::string end = "{% endfor %}{% endfor %}";
  const TemplateTraits by_json = probe(begin + "{{ c.function.arguments | tojson }}" + end);
  EXPECT_TRUE(by_json.knows_calls && by_json.knows_several_calls && by_json.knows_results);
  EXPECT_FALSE(by_json.arguments_as_text);
  const TemplateTraits items =
      probe(begin + "{% for k, v in c.function.arguments.items() %}{{ k }}={{ v }}{% endfor %}" + end);
  EXPECT_TRUE(items.knows_calls);
  EXPECT_FALSE(items.arguments_as_text);
}

TEST(TemplateProbe, ArgumentsAreTextWhereTheTemplatePrintsThem) {
  const std::string begin = "{% for m in messages %}{{ m.content }}{% for c in m.tool_calls %}";
  const std::string end = "{% endfor %}{% endfor %}";
  EXPECT_TRUE(probe(begin + "{{ c.function.arguments }}" + end).arguments_as_text);
  EXPECT_TRUE(probe(begin + "{{ 'a' + c.function.arguments }}" + end).arguments_as_text);
}

TEST(TemplateProbe, ContentBesideCalls) {
  const std::string calls = "{% for c in m.tool_calls %}{{ c.function.arguments | tojson }}{% endfor %}";
  const TemplateTraits text = probe("{% for m in messages %}{{ m.content + '' }}" + calls + "{% endfor %}");
  EXPECT_TRUE(text.content_with_calls);
  EXPECT_FALSE(text.no_content_with_calls);
  const TemplateTraits none = probe("{% for m in messages %}{% if m.content is none %}" + calls +
                                    "{% else %}{{ m.content }}{% endif %}{% endfor %}");
  EXPECT_TRUE(none.knows_calls && none.no_content_with_calls);
}

TEST(TemplateProbe, Reasoning) {
  const TemplateTraits opens =
      probe(std::string(kPlain) +
            "{% if add_generation_prompt %}<think>{% if enable_thinking is defined and not "
            "enable_thinking %}</think>{% endif %}\n{% endif %}");
  EXPECT_TRUE(opens.thinks && opens.opens_thinking);
  EXPECT_EQ(opens.thinking_switch, "enable_thinking");
  const TemplateTraits closed = probe(std::string(kPlain) + "<think>\n\n</think>{{ reasoning_effort }}");
  EXPECT_TRUE(closed.thinks && closed.knows_effort);
  EXPECT_FALSE(closed.opens_thinking);
  EXPECT_EQ(probe("{% for m in messages %}{{ m.content }}{{ m.thinking }}{{ m.tool_calls }}{% endfor %}")
                .reasoning_field,
            "thinking");
}

// All vendors' templates that need no variables of their own can be used, and the exceptions are found.
TEST(TemplateProbe, VendorsTemplates) {
  const auto fixtures = testing::require_shared_fixtures();
  if (!fixtures) GTEST_SKIP() << testing::kNoSharedFixtures;
  std::set<std::string> broken, as_text, without_content, undefined, opens;
  int tools = 0, calls = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*fixtures / "templates/chat/templates")) {
    const std::string name = entry.path().stem();
    const TemplateTraits traits = probe(testing::read_text(entry.path()));
    if (!traits.renders) broken.insert(name);
    if (traits.arguments_as_text) as_text.insert(name);
    if (traits.no_content_with_calls) without_content.insert(name);
    if (traits.absent_is_undefined) undefined.insert(name);
    if (traits.opens_thinking) opens.insert(name);
    tools += traits.knows_tools ? 1 : 0;
    calls += traits.knows_calls ? 1 : 0;
    EXPECT_FALSE(traits.content_as_parts) << name;
  }
  using Names = std::set<std::string>;
  EXPECT_EQ(broken, (Names{"fireworks-ai-llama-3-firefunction-v2"}));  // wants a variable `datetime`
  EXPECT_EQ(as_text, (Names{"deepseek-ai-DeepSeek-R1-Distill-Llama-8B"}));
  EXPECT_EQ(without_content, (Names{"deepseek-ai-DeepSeek-R1-Distill-Llama-8B"}));
  EXPECT_EQ(undefined, (Names{"CohereForAI-c4ai-command-r-plus-tool_use",
                              "NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use"}));
  EXPECT_EQ(opens, (Names{"Cohere2MoE", "MiniMax-M2", "NVIDIA-Nemotron-Nano-v2", "Qwen3.5-4B", "Spark2.5",
                          "deepseek-ai-DeepSeek-R1-Distill-Llama-8B", "inclusionai-ling-3.0-flash"}));
  EXPECT_GE(tools, 39);
  EXPECT_GE(calls, 32);
}

}  // namespace
}  // namespace cistern::text
