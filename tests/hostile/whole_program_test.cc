// Every hostile file through everything that a user's command would do with it: open, tokenizer, spec, plan,
// load, one token, chat template. What is a lie must be an error that says where; nothing may crash, hang or
// eat memory.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <iostream>

#include "engine/engine.h"
#include "support/fixtures.h"
#include "support/hostile.h"
#include "support/sanitizer.h"
#include "support/temp_dir.h"
#include "sys/memory_limits.h"
#include "text/chat_template.h"

namespace cistern {
namespace {

Result<void> render_template(const engine::OpenModel& open) {
  CISTERN_TRY(const text::jinja::Template chat, open.chat_template());
  text::ChatInput input;
  input.messages = {{{"role", "user"}, {"content", "hi"}}};
  CISTERN_TRY(const std::string prompt, text::render_chat(chat, input));
  return open.tokenizer->encode(prompt, true) ? Result<void>{}
                                              : fail(ErrorCode::kFormat, "prompt does not encode");
}

// Opens, loads and generates; the first error on the way.
Result<void> run_one_token(engine::OpenModel open) {
  CISTERN_TRY(const auto engine, engine::Engine::load(std::move(open), {.wanted_tokens = 8, .threads = 1}));
  CISTERN_TRY(engine::Generation answer,
              engine->submit({.prompt = {0}, .max_tokens = 1, .sampling = {.temperature = 0}}));
  CISTERN_TRY(const auto step, answer.next());
  return {};
}

void check_clear(const Error& error, const std::string& name) {
  const std::string text = describe(error);
  EXPECT_EQ(text.find('\n'), std::string::npos) << name << ": " << text;
  EXPECT_LT(text.size(), 1000U) << name;
  EXPECT_TRUE(std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20; })) << name;
}

void check_case(const testing::HostileCase& c, const testing::TempDir& dir) {
  const std::string path = dir.write(c.name + ".gguf", c.bytes).string();
  auto open = engine::open_model({.model = path});
  if (!open) {
    EXPECT_TRUE(c.expect == "error" || c.expect == "no-crash") << c.name << ": " << describe(open.error());
    EXPECT_NE(open.error().where.find(c.name), std::string::npos) << c.name << ": " << describe(open.error());
    check_clear(open.error(), c.name);
    return;
  }
  const Result<void> rendered = open->template_source ? render_template(*open) : Result<void>{};
  if (c.expect == "template-error") {
    ASSERT_FALSE(rendered) << c.name << ": " << c.about;
    EXPECT_EQ(rendered.error().code, ErrorCode::kTemplate) << c.name;
  }
  if (!rendered) check_clear(rendered.error(), c.name);
  const Result<void> ran = run_one_token(std::move(*open));
  if (!ran) check_clear(ran.error(), c.name);
  EXPECT_FALSE(ran && c.expect == "error") << c.name << " was accepted: " << c.about;
  const bool must_run = c.expect == "ok" || c.expect == "template-error";
  EXPECT_TRUE(ran || !must_run) << c.name << ": " << (ran ? "" : describe(ran.error()));
}

TEST(Hostile, every_file_gets_what_it_deserves) {
  const testing::TempDir dir;
  int count = 0;
  for (const testing::HostileCase& c : testing::load_hostile_cases()) {
    check_case(c, dir);
    ++count;
  }
  std::cout << count << " hostile files\n";
  EXPECT_EQ(count, 162);
}

TEST(Hostile, no_file_costs_memory_beyond_its_size) {
  if (!testing::kMemoryIsOurs) GTEST_SKIP() << testing::kSanitizersMemory;
  const testing::TempDir dir;
  constexpr std::uint64_t kSlack = 64ULL
                                   << 20U;  // allocator and sanitizer bookkeeping over all files together
  const std::uint64_t before = sys::peak_rss_bytes();
  for (const testing::HostileCase& c : testing::load_hostile_cases()) check_case(c, dir);
  EXPECT_LT(sys::peak_rss_bytes(), before + kSlack);
}

// The set as it was handed over, where it is: the copy above keeps one set of random weights for all files.
TEST(Hostile, the_original_files_get_the_same) {
  const auto fixtures = testing::require_shared_fixtures();
  if (!fixtures) GTEST_SKIP() << testing::kNoSharedFixtures;
  const testing::TempDir dir;
  for (testing::HostileCase c : testing::load_hostile_cases()) {
    c.bytes = testing::read_bytes(*fixtures / "hostile" / (c.name + ".gguf"));
    check_case(c, dir);
  }
}

TEST(PeerVulnerability, Cve2024_34359_templates_reach_nothing_of_the_host) {
  for (const char* source : {
           "{{ ''.__class__.__mro__[1].__subclasses__() }}",
           "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
           "{{ joiner.__init__.__globals__ }}",
           "{{ namespace.__init__.__globals__ }}",
           "{{ raise_exception.__globals__ }}",
           "{{ messages.__class__.__base__ }}",
           "{{ ''|attr('__class__') }}",
           "{{ self.__init__.__globals__ }}",
           "{% include '/etc/passwd' %}",
           "{% import 'os' as os %}",
           "{{ '{0.__class__}'.format(messages) }}",
       }) {
    const auto parsed = text::jinja::Template::parse(source, "attack", {});
    if (!parsed) continue;
    text::ChatInput input;
    input.messages = {{{"role", "user"}, {"content", "hi"}}};
    const auto rendered = text::render_chat(*parsed, input);
    // Jinja2 prints an undefined attribute as nothing; everything else must be refused.
    EXPECT_TRUE(!rendered || rendered->empty()) << source << ": " << *rendered;
  }
}

TEST(PeerVulnerability, Vllm054_an_empty_prompt_is_an_error) {
  auto open = engine::open_model({.model = engine::kGuide});
  ASSERT_TRUE(open);
  const auto engine = engine::Engine::load(*std::move(open), {.wanted_tokens = 8});
  ASSERT_TRUE(engine);
  const auto answer = (*engine)->submit({.prompt = {}});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace cistern
