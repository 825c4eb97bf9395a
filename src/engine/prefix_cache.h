// Remembers which pages hold which tokens, so that a prompt begins with what earlier ones have left: a radix
// tree whose edges are pages of tokens (Zheng et al. 2024). A page of the tree has a reference of the tree's;
// pages that no sequence holds are given up when memory is wanted, the least recently used first. What layers
// keep beside pages (rings, recurrent states) is copied at the ends of some pages: only there a sequence of
// such a model can begin. Not thread-safe. The pool must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "kv/cache.h"
#include "kv/page_pool.h"
#include "text/vocab.h"

namespace cistern::engine {

class PrefixCache {
 public:
  struct Node;

  // `own_bytes`: of a checkpoint (kv::own_bytes); 0: sequences have nothing beside pages. kMemory.
  static Result<PrefixCache> create(kv::PagePool& pool, std::uint64_t own_bytes, std::uint32_t checkpoints);
  PrefixCache(PrefixCache&&) noexcept;
  ~PrefixCache();

  // Two trees: LongRoPE gives the same tokens other keys when the sequence is long.
  Node* root(bool long_rope) { return roots_[long_rope ? 1 : 0].get(); }

  // Lets an empty cache begin with the longest beginning of `tokens` that is known, but never all of them.
  // Returns the last node whose page the cache shares; cache.length() says how much it holds.
  Node* begin(kv::Cache& cache, std::span<const text::TokenId> tokens, bool long_rope);
  // How many tokens begin() would find.
  std::uint32_t find(std::span<const text::TokenId> tokens, bool long_rope) const;

  // `page`, after the pages up to `parent`, holds these tokens, kv::kPageTokens or, the last of a sequence,
  // fewer. Returns its node; where the tree has those tokens already, theirs, with its own page.
  Node* add(Node* parent, std::span<const text::TokenId> tokens, kv::PageId page);
  static kv::PageId page_of(const Node& node);

  // Copies what the cache has beside pages, at the end of the node's tokens; false: it has a copy already, or
  // none are kept. `instead`: a node whose copy is of no more use; may be null.
  bool save(Node* node, const kv::Cache& cache, Node* instead);

  // Gives up pages until the pool has `wanted` free ones or there is nothing to give up. Whether it has them.
  bool make_room(std::uint32_t wanted);

  std::uint32_t size() const { return n_nodes_; }  // pages that the tree refers to
  std::uint32_t unused_pages() const;              // of them held by the tree alone

 private:
  struct Match;

  PrefixCache(kv::PagePool& pool, std::uint64_t own_bytes);
  Match match(std::span<const text::TokenId> tokens, bool long_rope) const;
  void touch(Node* node);
  void forget(Node* leaf);
  std::span<std::byte> slot(std::uint32_t i);

  kv::PagePool* pool_;
  std::uint64_t own_bytes_;
  std::unique_ptr<Node> roots_[2];
  std::uint32_t n_nodes_ = 0;
  std::uint64_t clock_ = 0;
  sys::Buffer checkpoints_;
  struct Checkpoint {
    Node* owner = nullptr;   // null: free
    std::uint64_t used = 0;  // saved or begun with
  };
  std::vector<Checkpoint> saved_;
};

}  // namespace cistern::engine
