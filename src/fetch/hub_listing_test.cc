#include "fetch/hub_listing.h"

#include <gtest/gtest.h>

namespace cistern::fetch {
namespace {

constexpr std::string_view kDigest = "3b1c8b6a3f1d8a6f7a0f7ad0c1d2e3f405162738495a6b7c8d9eafb0c1d2e3f4";

std::string file_entry(const std::string& path, const std::string& size = "5") {
  return R"({"type": "file", "oid": "ab", "size": )" + size + R"(, "path": ")" + path +
         R"(", "lfs": {"oid": ")" + std::string(kDigest) + R"(", "size": )" + size +
         R"(, "pointerSize": 134}})";
}

TEST(HubListing, FilesHaveSizesAndDigests) {
  const auto files =
      parse_listing(R"([{"type": "directory", "oid": "x", "size": 0, "path": "Q8"}, )" +
                    file_entry("Q8/m.gguf", "4683073536") +
                    R"(, {"type": "file", "oid": "ef", "size": 1519, "path": ".gitattributes"}])");
  ASSERT_TRUE(files) << describe(files.error());
  ASSERT_EQ(files->size(), 2U);
  EXPECT_EQ((*files)[0].path, "Q8/m.gguf");
  EXPECT_EQ((*files)[0].size_bytes, 4683073536U);
  EXPECT_EQ((*files)[0].sha256, kDigest);
  EXPECT_EQ((*files)[1].sha256, "");
}

TEST(HubListing, HostilePathsOfModelsAreRefused) {
  for (const std::string path :
       {"../../x.gguf", "/etc/x.gguf", "a//x.gguf", "a\\u0000x.gguf", "a\\nx.gguf", "a\\\\x.gguf"}) {
    const auto files = parse_listing("[" + file_entry(path) + "]");
    ASSERT_FALSE(files) << path;
    EXPECT_EQ(files.error().code, ErrorCode::kFormat);
    EXPECT_NE(files.error().where.find("[0].path"), std::string::npos) << describe(files.error());
  }
  EXPECT_FALSE(parse_listing("[" + file_entry(std::string(5000, 'a') + ".gguf") + "]"));
}

TEST(HubListing, StrangeNamesOfOtherFilesDoNotMatter) {
  const auto files = parse_listing("[" + file_entry("../../evil.sh") + "," + file_entry("\xC3\xA9.txt") +
                                   "," + file_entry("m.gguf") + "]");
  ASSERT_TRUE(files) << describe(files.error());
  EXPECT_EQ(files->size(), 1U);
}

TEST(HubListing, DamageIsNamed) {
  struct Case {
    std::string text;
    std::string named;
  };
  const Case cases[] = {
      {"", "JSON"},
      {"{\"error\": \"x\"}", "array"},
      {"[1]", "[0]"},
      {"[" + file_entry("m.gguf", "-1") + "]", "[0].size"},
      {"[" + file_entry("m.gguf", "1.5") + "]", "[0].size"},
      {"[" + file_entry("m.gguf", "1e300") + "]", "[0].size"},
      {"[" + file_entry("m.gguf", "18446744073709551615") + "]", "[0].size"},
      {R"([{"type": "file", "path": "m.gguf"}])", "[0].size"},
      {R"([{"type": "file", "path": "m.gguf", "size": 5, "lfs": {"oid": "12", "size": 5}}])", "lfs.oid"},
      {R"([{"type": "file", "path": "m.gguf", "size": 5, "lfs": {"oid": "12", "size": 6}}])", "lfs.size"},
      {std::string(100, '['), "JSON"}};
  for (const Case& c : cases) {
    const auto files = parse_listing(c.text);
    ASSERT_FALSE(files) << c.text;
    EXPECT_EQ(files.error().code, ErrorCode::kFormat);
    EXPECT_NE(describe(files.error()).find(c.named), std::string::npos) << describe(files.error());
  }
}

TEST(HubListing, TheNextPageIsInTheLinkHeader) {
  EXPECT_EQ(next_page(R"(<https://h/a?cursor=b>; rel="next")"), "https://h/a?cursor=b");
  EXPECT_EQ(next_page(R"(<https://h/0>; rel="prev", <https://h/2>; rel="next")"), "https://h/2");
  for (const char* header :
       {"", "<", "<x", "<x>", "<x>; rel=\"last\"", "rel=\"next\"", "<<<>>>", "rel=\"next\" <x>"})
    EXPECT_EQ(next_page(header), "") << header;
}

}  // namespace
}  // namespace cistern::fetch
