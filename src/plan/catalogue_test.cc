#include "plan/catalogue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace cistern::plan {
namespace {

const Catalogue& catalogue() {
  static const Catalogue built_in = Catalogue::built_in();
  return built_in;
}

System resolved(std::string_view text) {
  auto system = catalogue().resolve(text);
  EXPECT_TRUE(system.has_value()) << text << ": " << (system ? std::string() : describe(system.error()));
  return system.value_or(System{});
}

std::string refused(std::string_view text) {
  const auto system = catalogue().resolve(text);
  return system ? std::string() : describe(system.error());
}

// Names as people write them beside their measurements. Figures of one device or socket; 0: there is none.
struct Named {
  std::string_view text;
  int devices;
  double gbps;
  double gb;
  int sockets;
  double host_gbps;
};
constexpr Named kNamed[] = {
    {"RTX 3070 8GB", 1, 448, 8, 0, 0},
    {"RTX 3080 10GB", 1, 760, 10, 0, 0},
    {"RTX 4070 Ti 12GB", 1, 504, 12, 0, 0},
    {"RTX 4080 16GB", 1, 717, 16, 0, 0},
    {"RTX 3090 24GB", 1, 936, 24, 0, 0},
    {"RTX 4090 24GB", 1, 1008, 24, 0, 0},
    {"RTX 4000 Ada 20GB", 1, 360, 20, 0, 0},
    {"RTX 5000 Ada 32GB", 1, 576, 32, 0, 0},
    {"RTX A6000 48GB", 1, 768, 48, 0, 0},
    {"RTX 6000 Ada 48GB", 1, 960, 48, 0, 0},
    {"A40 48GB", 1, 696, 48, 0, 0},
    {"L40S 48GB", 1, 864, 48, 0, 0},
    {"A100 PCIe 80GB", 1, 1935, 80, 0, 0},
    {"A100 SXM 80GB", 1, 2039, 80, 0, 0},
    {"H100 PCIe 80GB", 1, 2039, 80, 0, 0},
    {"Apple M1 Max", 1, 400, 64, 0, 0},
    {"Apple M2 Ultra", 1, 800, 192, 0, 0},
    {"Apple M3 Max 40c", 1, 400, 128, 0, 0},
    {"RTX PRO 6000 Blackwell 96GB", 1, 1792, 96, 0, 0},
    {"RTX 4090 D 24GB", 1, 1008, 24, 0, 0},
    {"RTX 5070 Ti 16GB", 1, 896, 16, 0, 0},
    {"RTX 3090 Ti 24GB", 1, 1008, 24, 0, 0},
    {"RTX 4080 SUPER 16GB", 1, 736, 16, 0, 0},
    {"RTX A5000 24GB", 1, 768, 24, 0, 0},
    {"RTX 5070 12GB", 1, 672, 12, 0, 0},
    {"RTX A4500 20GB", 1, 640, 20, 0, 0},
    {"RTX A4000 16GB", 1, 448, 16, 0, 0},
    {"RTX 4060 Ti", 1, 288, 16, 0, 0},
    {"Tesla T4 16GB", 1, 320, 16, 0, 0},
    {"Jetson AGX Orin 64GB", 1, 204.8, 64, 0, 0},
    {"RTX 5090 32GB", 1, 1792, 32, 0, 0},
    {"H100 80GB (form factor not stated)", 1, 2039, 80, 0, 0},
    {"A100 80GB (form factor not stated)", 1, 1935, 80, 0, 0},
    {"RTX 5080 16GB", 1, 960, 16, 0, 0},
    {"L40 48GB", 1, 864, 48, 0, 0},
    {"Tesla V100 16GB", 1, 900, 16, 0, 0},
    {"RTX 4070 Ti SUPER 16GB", 1, 672, 16, 0, 0},
    {"A30 24GB", 1, 933, 24, 0, 0},
    {"RTX 2080 Ti 11GB", 1, 616, 11, 0, 0},
    {"RTX 3060 12GB", 1, 360, 12, 0, 0},
    {"GTX 1080 Ti 11GB", 1, 484, 11, 0, 0},
    {"Tesla P40 24GB", 1, 347, 24, 0, 0},
    {"RX 7900 XTX 24GB", 1, 960, 24, 0, 0},
    {"RX 7900 XT 20GB", 1, 800, 20, 0, 0},
    {"RX 7900 GRE 16GB", 1, 576, 16, 0, 0},
    {"RX 6800 XT 16GB", 1, 512, 16, 0, 0},
    {"RX 7800 XT 16GB", 1, 624, 16, 0, 0},
    {"RX 6900 XT 16GB", 1, 512, 16, 0, 0},
    {"RTX 4070 SUPER 12GB", 1, 504, 12, 0, 0},
    {"RTX 4070 12GB", 1, 504, 12, 0, 0},
    {"Arc B580 12GB", 1, 456, 12, 0, 0},
    {"Ryzen AI Max+ 395 (Strix Halo)", 1, 256, 128, 0, 0},
    {"Arc A770 16GB", 1, 560, 16, 0, 0},
    {"DGX Spark (GB10)", 1, 273, 128, 0, 0},
    {"MI300X 192GB", 1, 5300, 192, 0, 0},
    {"MI210 64GB", 1, 1638, 64, 0, 0},
    {"Apple M1", 1, 68.25, 16, 0, 0},
    {"Apple M1 Pro", 1, 200, 16, 0, 0},
    {"Apple M1 Ultra", 1, 800, 128, 0, 0},
    {"Apple M2", 1, 100, 16, 0, 0},
    {"Apple M2 Pro", 1, 200, 32, 0, 0},
    {"Apple M3", 1, 100, 24, 0, 0},
    {"Apple M3 Pro", 1, 150, 36, 0, 0},
    {"Apple M3 Max 30c", 1, 300, 36, 0, 0},
    {"Apple M3 Ultra", 1, 819, 512, 0, 0},
    {"Apple M4 Pro", 1, 273, 64, 0, 0},
    {"Apple M4 Max 32c", 1, 410, 36, 0, 0},
    {"Apple M4 Max 40c", 1, 546, 128, 0, 0},
    {"Apple M5", 1, 153, 32, 0, 0},
    {"Apple M5 Pro", 1, 307, 64, 0, 0},
    {"Apple M5 Max 40c", 1, 614, 128, 0, 0},
    {"Apple M2 Max", 1, 400, 96, 0, 0},
    {"Apple M4", 1, 120, 32, 0, 0},
    {"RTX PRO 6000 Blackwell Max-Q 96GB", 1, 1792, 96, 0, 0},
    {"Jetson Thor", 1, 273, 128, 0, 0},
    {"RTX 4070 12GB + DDR CPU (n-cpu-moe 31)", 1, 504, 12, 1, 89.6},
    {"RTX 5090 32GB (CUDA unified memory oversubscribed)", 1, 1792, 32, 0, 0},
    {"Ryzen 7950X dual-ch DDR5", 0, 0, 0, 1, 83.2},
    {"Apple M2 Max (CPU cores)", 1, 400, 96, 0, 0},
    {"Xeon 6980P 1 socket (512 GB/s per ik_llama PR534)", 0, 0, 0, 1, 512},
    {"TR PRO 7965WX 8ch (225 GB/s mlc) + RTX A6000", 1, 768, 48, 1, 225},
    {"TR PRO 7975WX 8ch DDR5-5600 + RTX 5090", 1, 1792, 32, 1, 358.4},
    {"EPYC 9355 768GB + RTX 4090 (Windows)", 1, 1008, 24, 1, 576},
    {"EPYC 9175F 768GB DDR5-5600 + 2x RTX 6000 Ada", 2, 960, 48, 1, 537.6},
    {"TR PRO 24c + A6000 (R1-0528 IQ2_K_R4 mix)", 1, 768, 48, 1, 332.8},
    {"EPYC 7773X 8ch DDR4", 0, 0, 0, 1, 204.8},
    {"2x EPYC 9135 24ch DDR5-6400 + RTX 4090", 1, 1008, 24, 2, 614.4},
    {"EPYC 9654 12ch DDR5-4800 + RTX 4090", 1, 1008, 24, 1, 460.8},
    {"EPYC 7713 256GB + 2x RTX 6000 Ada", 2, 960, 48, 1, 204.8},
    {"EPYC 9355 12ch DDR5-6000", 0, 0, 0, 1, 576},
    {"EPYC 9355 12ch DDR5-6000 + 1x RTX 3090 (5 layers ffn + attn on GPU)", 1, 936, 24, 1, 576},
    {"Ryzen 9950X 96GB + RTX 3090 Ti", 1, 1008, 24, 1, 89.6},
    {"TR PRO 7965WX + RTX A6000", 1, 768, 48, 1, 332.8},
    {"2x Xeon Gold Skylake (130 GB/s measured, one node)", 0, 0, 0, 2, 130},
    {"2x Xeon + 2x P100", 2, 732, 16, 2, 128},
    {"2x Xeon Gold 6138 12ch DDR4-2666", 0, 0, 0, 2, 128},
    {"EPYC 56c DDR4 + RTX 3090", 1, 936, 24, 1, 204.8},
    {"EPYC 56c DDR4", 0, 0, 0, 1, 204.8},
    {"Xeon 8480+ 8ch + RTX 3090", 1, 936, 24, 1, 307.2},
    {"2x Xeon 8480+ 16ch + RTX 3090 (numa distribute)", 1, 936, 24, 2, 307.2},
    {"TR PRO 5975WX + RTX 4080 16GB", 1, 717, 16, 1, 204.8},
    {"TR PRO 7965WX 8ch (225 GB/s mlc)", 0, 0, 0, 1, 225},
    {"RTX 3080 Ti 12GB", 1, 912, 12, 0, 0},
    {"AmpereOne A192-32X 8ch DDR5", 0, 0, 0, 1, 332.8},
    {"Raspberry Pi 5 16GB", 1, 17.1, 16, 0, 0},
    {"Raspberry Pi 5", 1, 17.1, 8, 0, 0},
    {"RTX 4090 24GB + DDR5 desktop (partial offload)", 1, 1008, 24, 1, 89.6},
    {"Apple M5 Max 32c", 1, 460, 36, 0, 0},
};

TEST(Catalogue, ResolvesWhatPeopleWrite) {
  for (const Named& named : kNamed) {
    const System system = resolved(named.text);
    ASSERT_EQ(system.devices.empty(), named.devices == 0) << named.text;
    if (named.devices > 0) {
      EXPECT_EQ(system.devices[0].count, named.devices) << named.text;
      EXPECT_NEAR(system.devices[0].bandwidth_gbps, named.gbps, 0.1) << named.text;
      EXPECT_EQ(static_cast<double>(system.devices[0].memory_bytes), named.gb * (1ULL << 30U)) << named.text;
    }
    ASSERT_EQ(system.host.has_value(), named.sockets > 0) << named.text;
    if (named.sockets > 0) {
      EXPECT_EQ(system.host->count, named.sockets) << named.text;
      EXPECT_NEAR(system.host->bandwidth_gbps, named.host_gbps, 0.1) << named.text;
    }
  }
}

struct Spelled {
  std::string_view text;
  std::string_view row;
};
constexpr Spelled kSpelled[] = {
    {"4090", "RTX 4090"},
    {"RTX4090", "RTX 4090"},
    {"NVIDIA GeForce RTX 4090", "RTX 4090"},
    {"rtx 4070 ti super", "RTX 4070 Ti SUPER"},
    {"RTX 3080 Ti Laptop", "RTX 3080 Ti Laptop"},
    {"RTX 3080 12GB", "RTX 3080 12GB"},
    {"RTX 3080", "RTX 3080 10GB"},
    {"NVIDIA A100-SXM4-80GB", "A100 80GB SXM"},
    {"A100 40GB", "A100 40GB"},
    {"H100", "H100 PCIe 80GB"},
    {"RTX 6000 Ada Generation", "RTX 6000 Ada"},
    {"RTX PRO 6000", "RTX PRO 6000 Blackwell WS"},
    {"7900XTX", "RX 7900 XTX"},
    {"AMD Radeon RX 9070 XT", "RX 9070 XT"},
    {"Intel Arc B580", "Arc B580"},
    {"Arc A770 8GB", "Arc A770 8GB"},
    {"M2Max", "Apple M2 Max"},
    {"M4 Max", "Apple M4 Max 40-core"},
    {"M4 Max 32-core", "Apple M4 Max 32-core"},
    {"Ryzen AI Max 395 128GB", "Ryzen AI Max+ 395 (Strix Halo)"},
    {"Strix Halo", "Ryzen AI Max+ 395 (Strix Halo)"},
    {"DGX Spark", "DGX Spark (GB10)"},
    {"RPi 5 8GB", "Raspberry Pi 5"},
    {"AMD EPYC 7702", "EPYC 7002 8ch DDR4-3200"},
    {"EPYC 9654P", "EPYC 9004 12ch DDR5-4800"},
    {"Ryzen 9 5950X", "Ryzen 5000 2ch DDR4-3200"},
    {"Ryzen 9 7950X", "Ryzen 7950X 2ch DDR5-5200"},
    {"Xeon E5-2680 v4", "Xeon E5 v3/v4 4ch DDR4-2400"},
    {"Xeon Gold 6330", "Xeon Scalable 3rd gen 8ch DDR4-3200"},
    {"Core i9-13900K", "Core 12th-14th gen 2ch DDR5-5600"},
    {"Ryzen 7840HS (Radeon 780M)", "Ryzen 7 8845HS (Hawk Point)"},
    {"AMD Ryzen Threadripper 1950X", "Threadripper 2000 4ch DDR4-2933"},
    {"MacBook Pro M3 Max 64GB", "Apple M3 Max 40-core"},
    {"GMKtec EVO-X2 Ryzen AI Max+ 395", "Ryzen AI Max+ 395 (Strix Halo)"},
    {"Core Ultra 5 225H", "Core Ultra 7 255H (Arrow Lake-H)"},
    {"i5-8400", "Core 6th-11th gen 2ch DDR4-3200"},
    {"Threadripper 3970X", "Threadripper 3000 4ch DDR4-3200"},
};

TEST(Catalogue, KnowsOtherSpellings) {
  for (const Spelled& spelled : kSpelled) {
    const System system = resolved(spelled.text);
    const Part* part = !system.devices.empty() ? &system.devices[0] : system.host ? &*system.host : nullptr;
    ASSERT_NE(part, nullptr) << spelled.text;
    EXPECT_EQ(part->hardware.name, spelled.row) << spelled.text;
  }
}

TEST(Catalogue, EveryRowIsFoundByItsNameAndIsPlausible) {
  for (const Hardware& row : catalogue().rows()) {
    const System system = resolved(row.name);
    const Part* part = !system.devices.empty() ? &system.devices[0] : system.host ? &*system.host : nullptr;
    ASSERT_NE(part, nullptr) << row.name;
    EXPECT_NEAR(part->bandwidth_gbps, row.bandwidth_gbps, 0.1 * row.bandwidth_gbps) << row.name;
    EXPECT_GE(row.bandwidth_gbps, 10) << row.name;
    EXPECT_LE(row.bandwidth_gbps, 10000) << row.name;
    EXPECT_GT(row.fp32_tflops, 0) << row.name;
    // Bytes and operations of one chip lie within known proportions.
    const double flops_per_byte = row.fp32_tflops * 1000 / row.bandwidth_gbps;
    EXPECT_GE(flops_per_byte, 1.5) << row.name;
    EXPECT_LE(flops_per_byte, 150) << row.name;
    EXPECT_FALSE(row.source.empty()) << row.name;
    EXPECT_FALSE(row.verification.empty()) << row.name;
    if (row.kind == HardwareKind::kCpu && row.memory_type.starts_with("ddr")) {
      EXPECT_NEAR(row.bandwidth_gbps, row.channels * 8 * row.mt_s / 1000, 0.1) << row.name;
    }
  }
}

TEST(Catalogue, ChannelsAndTransfersMakeABandwidth) {
  EXPECT_NEAR(resolved("EPYC 9004 12ch DDR5-4800").host->bandwidth_gbps, 460.8, 0.1);
  EXPECT_NEAR(resolved("EPYC 9355 8ch").host->bandwidth_gbps, 384, 0.1);
  EXPECT_NEAR(resolved("64GB DDR5-6000").host->bandwidth_gbps, 96, 0.1);
  EXPECT_NEAR(resolved("i7-12700K DDR4-3600").host->bandwidth_gbps, 57.6, 0.1);
  EXPECT_NEAR(resolved("2x EPYC 9135 24ch DDR5-6400").host->bandwidth_gbps, 614.4, 0.1);
  EXPECT_NEAR(resolved("EPYC 9355 (410 GB/s)").host->bandwidth_gbps, 410, 0.1);
}

TEST(Catalogue, MachinesHaveParts) {
  const System system = resolved("4x RTX 4090 + EPYC 9004 12ch DDR5-4800 384GB");
  EXPECT_EQ(system.device_count(), 4);
  EXPECT_EQ(system.device_bytes(), 96ULL << 30U);
  EXPECT_EQ(system.host->memory_bytes, 384ULL << 30U);
  EXPECT_TRUE(system.host->memory_stated);
  EXPECT_EQ(system.price_usd(), 4 * 1599);
  EXPECT_GE(system.power_w(), 4 * 450);
  EXPECT_EQ(resolved("RTX 4090 + RTX 3090").devices.size(), 2u);
  EXPECT_EQ(resolved("M5 Max 128GB").devices[0].memory_bytes, 128ULL << 30U);
  EXPECT_TRUE(resolved("Apple M2 Max (CPU cores)").cpu_cores_only);
  EXPECT_EQ(resolved("RTX 3090 x4").device_count(), 4);
  EXPECT_EQ(resolved("dual RTX 3090").device_count(), 2);
  EXPECT_EQ(resolved("Dual EPYC 9654").host->count, 2);
  const System unified = resolved("Ryzen AI 9 HX 370 + 64GB LPDDR5X-7500");
  EXPECT_FALSE(unified.host);
  EXPECT_EQ(unified.devices[0].memory_bytes, 64ULL << 30U);
  EXPECT_TRUE(resolved("M5 Ultra").unconfirmed());
  EXPECT_FALSE(resolved("RTX 4090").unconfirmed());
}

TEST(Catalogue, TheUnknownIsRefusedWithWhatIsNear) {
  EXPECT_NE(refused("RTX 4095").find("'RTX 4090'"), std::string::npos);
  for (const char* text : {"RTX 4090 Ti", "RTX 6090", "", "+", "RTX 4090 + ", "2x", "EPYC 9654 + Xeon 8480",
                           "0x RTX 4090", "5000x RTX 4090", "GB", "banana", "##", "\xff"})
    EXPECT_NE(refused(text), "") << text;
  EXPECT_NE(refused(std::string(100'000, 'x')), "");
}

TEST(Catalogue, AllIsEveryRow) {
  EXPECT_EQ(catalogue().resolve_all("all")->size(), catalogue().rows().size());
  EXPECT_EQ(catalogue().resolve_all("2x RTX 4090")->size(), 1u);
  EXPECT_FALSE(catalogue().resolve_all("nothing like it"));
}

constexpr std::string_view kOwn =
    "name,aliases,kind,memory_gb,bandwidth_gbps,vendor\n"
    "Box 1,The Box|RTX 4090,gpu,48/24,1234,Nobody\n";

TEST(Catalogue, AUsersRowsComeFirst) {
  Catalogue own = Catalogue::built_in();
  own.prefer(*Catalogue::parse(kOwn, "own.csv"));
  EXPECT_EQ(own.resolve("box 1")->devices[0].bandwidth_gbps, 1234);
  EXPECT_EQ(own.resolve("RTX 4090")->devices[0].hardware.name, "Box 1");
  EXPECT_EQ(own.resolve("RTX 3090")->devices[0].hardware.name, "RTX 3090");
}

struct Hostile {
  std::string_view text;
  std::string_view place;
};
constexpr Hostile kHostile[] = {
    {"", "own.csv"},
    {"name,kind\n", "own.csv, line 1"},
    {"name,kind,memory_gb,bandwidth_gbps\nx,gpu,8,fast\n", "line 2, column bandwidth_gbps"},
    {"name,kind,memory_gb,bandwidth_gbps\nx,gpu,8,0\n", "line 2, column bandwidth_gbps"},
    {"name,kind,memory_gb,bandwidth_gbps\nx,gpu,8,-1\n", "line 2, column bandwidth_gbps"},
    {"name,kind,memory_gb,bandwidth_gbps\nx,gpu,8,1e300\n", "line 2, column bandwidth_gbps"},
    {"name,kind,memory_gb,bandwidth_gbps\nx,tpu,8,100\n", "line 2, column kind"},
    {"name,kind,memory_gb,bandwidth_gbps\nx,gpu,,100\n", "line 2, column memory_gb"},
    {"name,kind,memory_gb,bandwidth_gbps\nx,gpu,8/x,100\n", "line 2, column memory_gb"},
    {"name,kind,memory_gb,bandwidth_gbps\nx,gpu,8/-1,100\n", "line 2, column memory_gb"},
    {"name,kind,memory_gb,bandwidth_gbps\n,gpu,8,100\n", "line 2, column name"},
    {"name,kind,memory_gb,bandwidth_gbps\nx,gpu,8\n", "line 2"},
    {"name,kind,memory_gb,bandwidth_gbps\nx,gpu,8,\"100\n", "own.csv"},
};

TEST(Catalogue, DamagedTablesAreRefusedWithThePlace) {
  for (const Hostile& hostile : kHostile) {
    const auto parsed = Catalogue::parse(hostile.text, "own.csv");
    ASSERT_FALSE(parsed) << hostile.text;
    EXPECT_NE(describe(parsed.error()).find(hostile.place), std::string::npos) << describe(parsed.error());
  }
}

}  // namespace
}  // namespace cistern::plan
