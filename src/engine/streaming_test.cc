// Engines under budgets smaller than their model: the answers are those of an engine with all memory, faults
// of the disk end a request and nothing else, and what was learnt of experts serves the next start.
#include "engine/streaming.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "engine/answer_test.h"
#include "engine/synthetic/model.h"
#include "support/faulty_reader.h"
#include "support/gguf_writer.h"
#include "support/refusal.h"
#include "support/sanitizer.h"
#include "support/temp_dir.h"

namespace cistern::engine {
namespace {

namespace fs = std::filesystem;
using testing::FaultyReader;
using testing::ReadFault;
using Kind = testing::ReadFault::Kind;

constexpr std::uint64_t kMiB = 1ULL << 20U;

ModelShape dense_shape() {
  ModelShape shape = *find_shape("tiny");
  set_architecture(shape, "llama");
  shape.layers = 10, shape.dim = 512, shape.ffn = 2048;  // 4 MiB a layer
  shape.heads = 8, shape.kv_heads = 4, shape.head_dim = 64;
  shape.tied = false;
  shape.context_tokens = 256;
  return shape;
}

ModelShape moe_shape() {
  ModelShape shape = *find_shape("tiny");
  set_architecture(shape, "qwen3moe");
  shape.layers = 4, shape.dim = 256, shape.heads = 4, shape.kv_heads = 2, shape.head_dim = 64;
  shape.experts = 16, shape.experts_used = 2, shape.expert_ffn = 256;  // 13 MiB in all
  shape.tied = false;
  shape.context_tokens = 256;
  return shape;
}

Ids prompt(std::uint32_t n = 30) {
  Ids ids;
  for (std::uint32_t i = 0; i < n; ++i) ids.push_back((31 + i * 37) % 290 + 5);
  return ids;
}

Answer answer(Engine& engine, std::uint32_t max_tokens = 12) {
  return try_answer(engine, {.prompt = prompt(),
                             .max_tokens = max_tokens,
                             .sampling = {.temperature = 0},
                             .ignore_end = true,
                             .speculate = false});
}

std::vector<float> logits(Engine& engine, std::uint32_t chunk) {
  std::vector<float> all;
  const auto done = engine.logits(
      prompt(), chunk, [&](std::span<const float> row) { all.insert(all.end(), row.begin(), row.end()); });
  EXPECT_TRUE(done) << describe(done.error());
  return all;
}

// A model in a file, and engines over it with less memory than it wants.
class StreamingEngine : public ::testing::Test {
 protected:
  void write(const ModelShape& shape) {
    path_ = (dir_.path() / "model.gguf").string();
    auto writer = SyntheticModelWriter::create({.shape = shape, .dtype = DType::kQ8_0});
    ASSERT_TRUE(writer) << describe(writer.error());
    std::ofstream out(path_, std::ios::binary);
    const auto done = writer->write([&out](std::span<const std::byte> piece) -> Result<void> {
      out.write(reinterpret_cast<const char*>(piece.data()), static_cast<std::streamsize>(piece.size()));
      return {};
    });
    ASSERT_TRUE(done);
  }

  Result<std::unique_ptr<Engine>> try_load(LoadOptions options) const {
    CISTERN_TRY(OpenModel open, open_model({.model = path_}));
    options.threads = 2;
    options.context_tokens = 128;
    return Engine::load(std::move(open), options);
  }
  std::unique_ptr<Engine> load(const LoadOptions& options) const {
    auto engine = try_load(options);
    EXPECT_TRUE(engine) << describe(engine.error());
    return std::move(*engine);
  }
  // The smallest budget that a refusal names.
  std::uint64_t least_budget() const {
    const auto refused = try_load({.memory_bytes = kMiB});
    EXPECT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kMemory);
    return testing::least_bytes_in(describe(refused.error()));
  }
  // With so much more than the least. Reads through a FaultyReader, which fills `reader_`, without a clock.
  std::unique_ptr<Engine> load_capped(std::uint64_t more_bytes, std::vector<ReadFault> faults = {},
                                      LoadOptions options = {}) {
    if (!options.make_reader) {
      options.make_reader = [this, faults](std::span<const std::string> paths) {
        return make_reader(paths, faults);
      };
    }
    // What the process holds changes from load to load, with a sanitizer by many MiB.
    for (std::uint64_t i = 0; i < 20; ++i) {
      options.memory_bytes = least_budget() + more_bytes + i * kMiB / 2;
      auto engine = try_load(options);
      if (!engine || !(*engine)->plan().streaming) continue;
      EXPECT_LE((*engine)->plan().total_bytes(), *options.memory_bytes);
      return *std::move(engine);
    }
    ADD_FAILURE() << "no budget makes it stream";
    std::abort();
  }
  Result<std::unique_ptr<sys::FileReader>> make_reader(std::span<const std::string> paths,
                                                       const std::vector<ReadFault>& faults) {
    CISTERN_TRY(auto inner, sys::make_thread_reader(paths, 0));
    auto faulty = std::make_unique<FaultyReader>(std::move(inner), faults);
    reader_ = faulty.get();
    return faulty;
  }

  // A fault of a tensor that some engine streams, caches or looks rows up in.
  static ReadFault fault_of(const Engine& engine, std::size_t tensor, Kind kind) {
    const file::TensorInfo& info = engine.model().inventory().tensors()[tensor];
    return {.kind = kind, .begin = info.offset + 4096, .end = info.offset + info.size_bytes - 4096};
  }

  testing::TempDir dir_;
  std::string path_;
  FaultyReader* reader_ = nullptr;  // of the last engine that load_capped() made
};

TEST_F(StreamingEngine, answers_as_if_all_were_in_memory) {
  for (const bool moe : {false, true}) {
    write(moe ? moe_shape() : dense_shape());
    const auto all = load({});
    EXPECT_FALSE(all->plan().streaming);
    const Answer expected = answer(*all);
    const std::vector<float> expected_logits = logits(*all, 0);
    EXPECT_FALSE(expected.stats.streaming);
    std::uint64_t last_resident = 0;
    for (const std::uint64_t more : {std::uint64_t{0}, 3 * kMiB, moe ? 6 * kMiB : 12 * kMiB}) {
      const auto engine = load_capped(more);
      const Answer a = answer(*engine);
      EXPECT_EQ(a.ids, expected.ids) << "with " << more << " bytes more than the least";
      EXPECT_EQ(logits(*engine, 0), expected_logits);
      EXPECT_EQ(logits(*engine, 1), expected_logits);
      EXPECT_TRUE(a.stats.streaming);
      const plan::Streaming& streaming = *engine->plan().streaming;
      if (testing::kMemoryIsOurs) {
        EXPECT_GE(streaming.resident_bytes + streaming.placement.cache_bytes, last_resident);
      }
      last_resident = streaming.resident_bytes + streaming.placement.cache_bytes;
    }
  }
}

TEST_F(StreamingEngine, reads_what_the_plan_says_for_each_token) {
  write(dense_shape());
  const auto engine = load_capped(0);
  const Answer a = answer(*engine, 9);
  const plan::Streaming& streaming = *engine->plan().streaming;
  const std::uint64_t window = streaming.placement.window_bytes;
  EXPECT_GT(streaming.token_bytes, 30 * kMiB) << "all of the layers";
  // The prompt is one step, as each of the eight tokens after it is that were fed; the row of a token is a
  // page or two.
  EXPECT_EQ(a.stats.decode_steps, 8U);
  EXPECT_GE(a.stats.prefill_disk.bytes_read, streaming.token_bytes);
  EXPECT_LE(a.stats.prefill_disk.bytes_read, streaming.token_bytes + window + 30 * 8192);
  EXPECT_GE(a.stats.decode_disk.bytes_read + window, 8 * streaming.token_bytes);
  EXPECT_LE(a.stats.decode_disk.bytes_read, 8 * streaming.token_bytes + window + 8 * 8192);
  EXPECT_LE(a.stats.decode_disk.waited_s, a.stats.decode_s);
  EXPECT_EQ(a.stats.decode_disk.expert_hits + a.stats.decode_disk.expert_misses, 0U);
}

TEST_F(StreamingEngine, counts_the_experts_that_are_asked_for) {
  write(moe_shape());
  const auto engine = load_capped(3 * kMiB);
  const Answer a = answer(*engine, 9);
  // Three matrices for each of 2 experts in 4 layers.
  EXPECT_EQ(a.stats.decode_disk.expert_hits + a.stats.decode_disk.expert_misses, 8U * 3 * 2 * 4);
  EXPECT_GT(a.stats.decode_disk.hit_rate(), 0);
  EXPECT_LT(a.stats.decode_disk.hit_rate(), 1);
  // 256 x 256 values of a matrix, 34 bytes for 32 of them, and up to two pages around.
  constexpr std::uint64_t kSlice = 256 * 256 / 32 * 34;
  EXPECT_GE(a.stats.decode_disk.bytes_read, a.stats.decode_disk.expert_misses * kSlice);
  // What was hinted at and then not asked for is read too: at most as much as is chosen.
  const std::uint64_t asked = a.stats.decode_disk.expert_hits + a.stats.decode_disk.expert_misses;
  const std::uint64_t most = asked + a.stats.decode_disk.expert_misses;
  EXPECT_LE(a.stats.decode_disk.bytes_read, most * (kSlice + 8192) + 8 * 8192);
}

TEST_F(StreamingEngine, tells_before_loading_what_will_be) {
  write(dense_shape());
  std::optional<StreamingForecast> told;
  std::uint64_t done = 0, all = 0;
  const auto engine = load_capped(0, {},
                                  {.on_streaming = [&](const StreamingForecast& f) { told = f; },
                                   .load_progress =
                                       [&](std::uint64_t done_bytes, std::uint64_t all_bytes) {
                                         EXPECT_GE(done_bytes, done);
                                         done = done_bytes, all = all_bytes;
                                       }});
  ASSERT_TRUE(told);
  EXPECT_EQ(told->streaming.token_bytes, engine->plan().streaming->token_bytes);
  EXPECT_GT(told->low_tok_s, 0);
  EXPECT_LE(told->low_tok_s, told->high_tok_s);
  // Twice of rounding is all that lies between.
  EXPECT_LE(told->high_tok_s * static_cast<double>(told->streaming.token_bytes),
            told->disk_bytes_per_s * 1.01);
  EXPECT_EQ(done, all);
  EXPECT_EQ(all, told->streaming.resident_bytes);
}

// Of what is streamed, cached and looked up: the request gets the error, the next one its answer.
TEST_F(StreamingEngine, survives_faults_in_the_middle_of_an_answer) {
  for (const bool moe : {false, true}) {
    write(moe ? moe_shape() : dense_shape());
    const Answer expected = answer(*load({}));
    const auto probe = load_capped(0);
    const file::Placement& placement = probe->plan().streaming->placement;
    const std::size_t tensor = moe ? placement.cached[4].tensor : placement.streamed[6][0];
    for (const std::size_t hit : {tensor, placement.looked_up.at(0)}) {
      for (const Kind kind : {Kind::kIoError, Kind::kEarlyEnd, Kind::kChange}) {
        // So often are they read for the prompt, or more. Whose memory is a sanitizer's has larger caches.
        const std::uint64_t n_experts_read = testing::kMemoryIsOurs ? 20 : 12;
        ReadFault fault = fault_of(*probe, hit, kind);
        fault.skip = hit != tensor ? 33 : moe ? n_experts_read : 5;
        fault.count = 1;
        const auto engine = load_capped(0, {fault});
        const Answer failed = answer(*engine);
        ASSERT_TRUE(failed.error) << "tensor " << hit;
        EXPECT_EQ(failed.error->code, ErrorCode::kIo) << describe(*failed.error);
        EXPECT_NE(describe(*failed.error).find("byte "), std::string::npos) << describe(*failed.error);
        EXPECT_TRUE(failed.ids.size() > 0 || !testing::kMemoryIsOurs);
        EXPECT_LT(failed.ids.size(), expected.ids.size());
        EXPECT_TRUE(std::equal(failed.ids.begin(), failed.ids.end(), expected.ids.begin()));
        if (kind == Kind::kChange) continue;  // which is for good
        const Answer next = answer(*engine);
        EXPECT_FALSE(next.error);
        EXPECT_EQ(next.ids, expected.ids);
      }
    }
  }
}

TEST_F(StreamingEngine, survives_a_disk_that_stalls) {
  write(dense_shape());
  const Answer expected = answer(*load({}));
  const auto probe = load_capped(0);
  ReadFault fault = fault_of(*probe, probe->plan().streaming->placement.streamed[6][0], Kind::kStall);
  fault.skip = 5;
  fault.count = 3;
  const auto engine = load_capped(0, {fault}, {.disk_stall_s = 0.01});
  for (int i = 0; i < 2; ++i) {
    const Answer failed = answer(*engine);
    ASSERT_TRUE(failed.error);
    EXPECT_NE(describe(*failed.error).find(path_ + " at byte "), std::string::npos)
        << describe(*failed.error);
  }
  reader_->release();
  EXPECT_EQ(answer(*engine).ids, expected.ids);
}

TEST_F(StreamingEngine, says_so_when_its_file_is_cut_or_written_anew) {
  for (const bool cut : {true, false}) {
    write(dense_shape());
    const auto engine = load_capped(0, {}, {.make_reader = sys::make_file_reader});
    EXPECT_FALSE(answer(*engine, 2).error);
    if (cut) {
      fs::resize_file(path_, fs::file_size(path_) / 2);
    } else {
      fs::last_write_time(path_, fs::last_write_time(path_) + std::chrono::seconds(5));
      std::fstream(path_, std::ios::in | std::ios::out | std::ios::binary).seekp(1000000).write("x", 1);
    }
    for (int i = 0; i < 2; ++i) {
      const Answer failed = answer(*engine);
      ASSERT_TRUE(failed.error);
      EXPECT_EQ(failed.error->code, ErrorCode::kIo);
      EXPECT_NE(describe(*failed.error).find(path_), std::string::npos) << describe(*failed.error);
    }
  }
}

TEST_F(StreamingEngine, remembers_which_experts_were_wanted) {
  write(moe_shape());
  const std::string folder = (dir_.path() / "memory").string();
  const Answer first = answer(*load_capped(3 * kMiB, {}, {.memory_folder = folder}));
  ASSERT_FALSE(fs::is_empty(folder));
  const fs::path remembered = fs::directory_iterator(folder)->path();
  const Answer second = answer(*load_capped(3 * kMiB, {}, {.memory_folder = folder}));
  EXPECT_EQ(second.ids, first.ids);
  EXPECT_LT(second.stats.prefill_disk.expert_misses, first.stats.prefill_disk.expert_misses);

  const std::string name(load({})->model().inventory().tensors().front().name);
  for (const std::string& damaged :
       {std::string(), std::string("\0\xFF\n\n 7\n", 7), std::string("cistern experts 2\n"),
        std::string("cistern experts 1\nno.such.tensor 1\n") + name + " 0\n" + name + "\n" + name +
            " 99999999999999999999\nblk.0.ffn_up_exps.weight 4000000000\nblk.0.ffn_up_exps.weight -1\n"}) {
    std::ofstream(remembered, std::ios::binary) << damaged;
    const Answer cold = answer(*load_capped(3 * kMiB, {}, {.memory_folder = folder}));
    EXPECT_EQ(cold.ids, first.ids);
    EXPECT_EQ(cold.stats.prefill_disk.expert_misses, first.stats.prefill_disk.expert_misses) << damaged;
  }
  // One that cannot be written is done without.
  const std::string no_folder = path_ + "/memory";
  EXPECT_EQ(answer(*load_capped(3 * kMiB, {}, {.memory_folder = no_folder})).ids, first.ids);
}

TEST_F(StreamingEngine, takes_adapters) {
  write(dense_shape());
  testing::GgufWriter adapter;
  adapter.add("general.architecture", "llama").add("general.type", "adapter").add("adapter.type", "lora");
  for (const char* name : {"blk.2.attn_q.weight", "blk.7.attn_output.weight"}) {
    std::vector<float> a(512 * 2), b(2 * 512);
    for (std::size_t i = 0; i < a.size(); ++i) {
      a[i] = static_cast<float>(i % 7) * 0.02F;
      b[i] = static_cast<float>(i % 5) * 0.03F - 0.06F;
    }
    adapter.tensor(std::string(name) + ".lora_a", {512, 2}, a)
        .tensor(std::string(name) + ".lora_b", {2, 512}, b);
  }
  const LoadOptions options{.adapters = {{dir_.write("adapter.gguf", adapter.build()).string()}}};
  const std::vector<float> plain = logits(*load({}), 0);
  const std::vector<float> expected = logits(*load(options), 0);
  EXPECT_NE(plain, expected);
  const auto engine = load_capped(kMiB, {}, options);
  EXPECT_EQ(logits(*engine, 0), expected);
  EXPECT_EQ(logits(*engine, 1), expected);
}

TEST_F(StreamingEngine, is_refused_below_the_least_budget) {
  if (!testing::kMemoryIsOurs) GTEST_SKIP() << testing::kSanitizersMemory;
  for (const bool moe : {false, true}) {
    write(moe ? moe_shape() : dense_shape());
    const std::uint64_t least = least_budget();
    EXPECT_TRUE(try_load({.memory_bytes = least}));
    EXPECT_FALSE(try_load({.memory_bytes = least - 6 * kMiB}));
  }
}

}  // namespace
}  // namespace cistern::engine
