// The hostile set at the level of the container: files whose lie is in counts, lengths, types, dims, offsets,
// alignment, keys or splits must be refused here, with the field named; the others (hyperparameters,
// tokenizer, templates) must open, their lie is for the modules above.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "file/inventory.h"
#include "support/fixtures.h"
#include "support/hostile.h"
#include "support/temp_dir.h"

namespace cistern::file {
namespace {

struct Refusal {
  std::string_view case_prefix;  // one case, else all that go on with "-"
  std::string_view names;        // must be in the error: the field
};

constexpr std::array kRefused = {
    Refusal{"n_tensors", "tensor count at byte 8"},
    Refusal{"n_kv", "metadata count at byte 16"},
    Refusal{"version", "version at byte 4"},
    Refusal{"magic", "magic at byte 0"},
    Refusal{"string-length", "key 'general.name'"},
    Refusal{"array-count", "key 'x.array'"},
    Refusal{"array-of-arrays-deep", "key 'x.deep'"},
    Refusal{"value-type-unknown", "key 'x.t'"},
    Refusal{"array-type-unknown", "key 'x.t'"},
    Refusal{"key-duplicate", "key 'general.architecture'"},
    Refusal{"key-empty", "metadata key"},
    Refusal{"alignment", "key 'general.alignment'"},
    Refusal{"tensor-beyond-file", "tensor 'blk.1.attn_k.weight'"},
    Refusal{"tensor-truncated-last", "tensor 'blk.1.ffn_down.weight'"},
    Refusal{"tensor-offset", "tensor 'blk."},
    Refusal{"tensor-offset-unaligned", "tensor 'blk.0.attn_q.weight'"},
    Refusal{"tensor-overlap", "tensor 'blk.1.attn_output.weight'"},
    Refusal{"tensor-dims", "tensor 'blk."},
    Refusal{"tensor-dims-none", "0 dimensions"},
    Refusal{"tensor-dims-many", "5 dimensions"},
    Refusal{"tensor-type-unknown", "unknown tensor type 200"},
    Refusal{"tensor-type-removed", "Q4_2"},
    Refusal{"tensor-type-negative", "tensor type 4294967295"},
    Refusal{"tensor-block-partial", "tensor 'blk.1.ffn_up.weight'"},
    Refusal{"tensor-name-long", "(70000 bytes)"},
    Refusal{"tensor-name-empty", "tensor name"},
    Refusal{"tensor-name-twice", "tensor 'blk.0.ffn_gate.weight'"},
    Refusal{"split-count", "split.count"},
    Refusal{"empty", "empty file"},
    Refusal{"three-bytes", "truncated"},
    Refusal{"magic-only", "header at byte 0"},
    Refusal{"text", "text"},
    Refusal{"zip", "ZIP"},
    Refusal{"header-only", "tensor count at byte 8"},
};

const Refusal* refusal_of(std::string_view name) {
  const Refusal* of_prefix = nullptr;
  for (const Refusal& refusal : kRefused) {
    if (name == refusal.case_prefix) return &refusal;
    const bool is_variant = name.starts_with(refusal.case_prefix) && name[refusal.case_prefix.size()] == '-';
    if (is_variant) of_prefix = &refusal;
  }
  return of_prefix;
}

TEST(HostileSet, IsComplete) {
  const auto cases = testing::load_hostile_cases();
  EXPECT_EQ(cases.size(), 162U);
  const auto refused =
      std::ranges::count_if(cases, [](const auto& c) { return refusal_of(c.name) != nullptr; });
  EXPECT_EQ(refused, 62);
  for (const Refusal& refusal : kRefused) {
    EXPECT_TRUE(std::ranges::any_of(cases, [&](const auto& c) { return refusal_of(c.name) == &refusal; }))
        << refusal.case_prefix << " is in no case";
  }
}

TEST(HostileSet, LiesOfTheContainerAreRefused) {
  for (const auto& hostile : testing::load_hostile_cases()) {
    const Refusal* refusal = refusal_of(hostile.name);
    if (refusal == nullptr) continue;
    EXPECT_TRUE(hostile.expect == "error" || hostile.expect == "no-crash") << hostile.name;
    const auto model = open_model(hostile.bytes, "m.gguf");
    ASSERT_FALSE(model) << hostile.name << ": " << hostile.about;
    const std::string message = describe(model.error());
    EXPECT_NE(message.find(refusal->names), std::string::npos) << hostile.name << ": " << message;
    EXPECT_TRUE(message.starts_with("m.gguf: ")) << message;
    EXPECT_EQ(message.find_first_not_of(" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`"
                                        "abcdefghijklmnopqrstuvwxyz{|}~"),
              message.npos)
        << hostile.name << ": " << message;
    EXPECT_LT(message.size(), 400U) << hostile.name;
  }
}

TEST(HostileSet, TheOthersOpen) {
  for (const auto& hostile : testing::load_hostile_cases()) {
    if (refusal_of(hostile.name) != nullptr) continue;
    const auto model = open_model(hostile.bytes, "m.gguf");
    EXPECT_TRUE(model) << hostile.name << ": " << describe(model.error());
  }
}

TEST(HostileSet, FilesFailLikeBytes) {
  const testing::TempDir dir;
  for (const auto& hostile : testing::load_hostile_cases()) {
    const auto path = dir.write("m.gguf", hostile.bytes).string();
    const auto from_file = open_model(path);
    const auto from_memory = open_model(hostile.bytes, path);
    ASSERT_EQ(from_file.has_value(), from_memory.has_value()) << hostile.name;
    if (!from_file && hostile.name != "split-count") {
      EXPECT_EQ(describe(from_file.error()), describe(from_memory.error())) << hostile.name;
    }
  }
}

// The stored edits against the files that they were made from. Those differ from one another in the values of
// their weights, which are no lie and not kept.
TEST(HostileSet, RebuiltFilesAreTheSharedOnes) {
  const auto fixtures = testing::require_shared_fixtures();
  if (!fixtures) GTEST_SKIP() << testing::kNoSharedFixtures;
  constexpr std::size_t kWeightBytes = 21664;
  for (const auto& hostile : testing::load_hostile_cases()) {
    const std::string text = testing::read_text(*fixtures / "hostile" / (hostile.name + ".gguf"));
    const auto original = std::as_bytes(std::span(text));
    ASSERT_EQ(hostile.bytes.size(), original.size()) << hostile.name;
    const std::size_t header_bytes = original.size() - std::min(original.size(), kWeightBytes + 1024);
    EXPECT_TRUE(std::equal(original.begin(), original.begin() + static_cast<std::ptrdiff_t>(header_bytes),
                           hostile.bytes.begin()))
        << hostile.name;
    const auto rebuilt_model = open_model(hostile.bytes, "m.gguf");
    const auto original_model = open_model(original, "m.gguf");
    ASSERT_EQ(rebuilt_model.has_value(), original_model.has_value()) << hostile.name;
    if (original_model) continue;
    EXPECT_EQ(describe(rebuilt_model.error()), describe(original_model.error())) << hostile.name;
  }
}

}  // namespace
}  // namespace cistern::file
