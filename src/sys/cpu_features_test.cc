#include "sys/cpu_features.h"

#include <gtest/gtest.h>

namespace cistern::sys {
namespace {

TEST(CpuFeatures, NamesRoundTrip) {
  for (const Isa isa : kAllIsas) EXPECT_EQ(parse_isa(name_of(isa)), isa);
  EXPECT_EQ(name_of(Isa::kAvx512), "avx512");
}

TEST(CpuFeatures, UnknownNamesAreErrors) {
  for (const char* name : {"", "AVX2", "sse", "avx2 "}) {
    const auto isa = parse_isa(name);
    ASSERT_FALSE(isa) << name;
    EXPECT_EQ(isa.error().code, ErrorCode::kUsage);
    EXPECT_NE(isa.error().message.find("scalar"), std::string::npos);  // says what there is
  }
}

TEST(CpuFeatures, TheHostHasWhatItChooses) {
  EXPECT_TRUE(host_has(Isa::kScalar));
  EXPECT_TRUE(host_has(best_isa()));
  EXPECT_EQ(choose_isa(std::nullopt), best_isa());
  EXPECT_EQ(choose_isa(Isa::kScalar), Isa::kScalar);
  for (const Isa isa : {Isa::kAvx2Vnni, Isa::kAvx512, Isa::kAvx512Bf16}) {
    EXPECT_LE(host_has(isa), host_has(Isa::kAvx2)) << name_of(isa);  // the one includes the other
  }
  EXPECT_LE(host_has(Isa::kNeonDotprod), host_has(Isa::kNeon));
  EXPECT_LE(host_has(Isa::kNeonI8mm), host_has(Isa::kNeonDotprod));
  EXPECT_FALSE(host_has(Isa::kNeon) && host_has(Isa::kAvx2));
}

TEST(CpuFeatures, AMissingLevelCannotBeForced) {
  for (const Isa isa : kAllIsas) {
    if (host_has(isa)) continue;
    const auto chosen = choose_isa(isa);
    ASSERT_FALSE(chosen);
    EXPECT_EQ(chosen.error().code, ErrorCode::kUnsupported);
    EXPECT_NE(chosen.error().message.find(name_of(isa)), std::string::npos);
  }
}

}  // namespace
}  // namespace cistern::sys
