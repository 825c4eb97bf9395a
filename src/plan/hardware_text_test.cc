#include "plan/hardware_text.h"

#include <gtest/gtest.h>

namespace cistern::plan {
namespace {

using Words = std::vector<std::string>;

TEST(HardwareText, CountsStandInFront) {
  EXPECT_EQ(read_part("2x RTX 4090").count, 2);
  EXPECT_EQ(read_part("4 x RTX 4090").count, 4);
  EXPECT_EQ(read_part("8xH100").count, 8);
  EXPECT_EQ(read_part("2\xC3\x97 A100").count, 2);
  EXPECT_EQ(read_part("7900XTX").count, 0);
  EXPECT_EQ(read_part("7900 XTX").count, 0);
  EXPECT_EQ(read_part("Xeon 6980P 2 sockets").count, 2);
  EXPECT_GT(read_part("0x RTX 4090").count, 1000);
}

TEST(HardwareText, UnitsAreTakenOutOfTheName) {
  const NamedPart part = read_part("EPYC 9355 768GB 12ch DDR5-6000");
  EXPECT_EQ(part.words, (Words{"epyc", "9355"}));
  EXPECT_EQ(part.memory_gb, 768);
  EXPECT_EQ(part.channels, 12);
  EXPECT_EQ(part.mt_s, 6000);
  EXPECT_TRUE(part.has("ddr5"));
  EXPECT_EQ(read_part("Ryzen dual-channel").channels, 2);
  EXPECT_EQ(read_part("Ryzen quad channel").channels, 4);
  EXPECT_EQ(read_part("Ryzen 8 channels DDR4 3200").mt_s, 3200);
  EXPECT_EQ(read_part("RTX 3090 24 GB").memory_gb, 24);
  EXPECT_EQ(read_part("EPYC 1.5TB").memory_gb, 1536);
  EXPECT_TRUE(read_part("M3 Max 40-core").has("40c"));
}

TEST(HardwareText, LettersBehindANumberAreNoUnitUnlessTheyAreOne) {
  EXPECT_EQ(read_part("Ryzen 8700G").memory_gb, 0);
  EXPECT_EQ(read_part("EPYC 7551P").count, 0);
  EXPECT_TRUE(read_part("EPYC 7551P").has("7551p"));
}

TEST(HardwareText, ParenthesesTellMore) {
  const NamedPart part = read_part("TR PRO 7965WX 8ch (225 GB/s mlc)");
  EXPECT_EQ(part.words, (Words{"threadripper", "pro", "7965wx"}));
  EXPECT_EQ(part.bandwidth_gbps, 225);
  EXPECT_TRUE(read_part("Apple M2 Max (CPU cores)").cpu_cores);
  EXPECT_EQ(read_part("((((a").optional.size(), 1u);
  EXPECT_EQ(read_part("a))))").words.size(), 1u);
}

TEST(HardwareText, APlusThatStandsApartJoins) {
  EXPECT_EQ(split_parts("Xeon 8480+ 8ch + RTX 3090").size(), 2u);
  EXPECT_EQ(split_parts("Ryzen AI Max+ 395").size(), 1u);
  EXPECT_EQ(split_parts("EPYC + 1x RTX 3090 (5 layers ffn + attn on GPU)").size(), 2u);
  EXPECT_EQ(split_parts(" + ").size(), 2u);
  EXPECT_EQ(split_parts("a + b")[1], "b");
}

TEST(HardwareText, PatternsStandForDigits) {
  EXPECT_TRUE(matches("9##5", "9355"));
  EXPECT_TRUE(matches("9##5", "9175f"));
  EXPECT_FALSE(matches("9##5", "9354"));
  EXPECT_FALSE(matches("9##5", "93"));
  EXPECT_FALSE(matches("9355", "9355f"));
  EXPECT_FALSE(matches("9##5", "93550"));
}

TEST(HardwareText, AnythingIsReadWithoutHarm) {
  for (const char* text : {"",     " ",        "(",      ")",
                           "x",    "1x",       "2x ",    "999999999999999x y",
                           "ddr",  "DDR5-",    "DDR5-x", "-",
                           "GB",   "1.2.3GB",  "1e9GB",  ".GB",
                           "dual", "\xff\xfe", "+++",    "9999999999999999GB/s"}) {
    const NamedPart part = read_part(text);
    EXPECT_GE(part.memory_gb, 0) << text;
    split_parts(text);
  }
}

}  // namespace
}  // namespace cistern::plan
