#include "engine/prefix_cache.h"

#include <algorithm>

#include "base/check.h"

namespace cistern::engine {

namespace {
constexpr std::uint32_t kNoCheckpoint = ~0U;
}  // namespace

struct PrefixCache::Node {
  Node* parent = nullptr;
  std::vector<text::TokenId> tokens;
  kv::PageId page = 0;
  std::uint32_t end = 0;  // tokens up to here, its own included
  std::uint32_t checkpoint = kNoCheckpoint;
  std::uint64_t used = 0;
  std::vector<std::unique_ptr<Node>> children;
};

// What the tree knows of a text.
struct PrefixCache::Match {
  Node* node = nullptr;      // all whose tokens, up to here, are the text's
  std::uint32_t length = 0;  // tokens that are of use
  Node* last = nullptr;      // the page that holds the last of them; null: none are
};

PrefixCache::PrefixCache(kv::PagePool& pool, std::uint64_t own_bytes) : pool_(&pool), own_bytes_(own_bytes) {
  for (std::unique_ptr<Node>& root : roots_) root = std::make_unique<Node>();
}

PrefixCache::PrefixCache(PrefixCache&&) noexcept = default;

PrefixCache::~PrefixCache() {
  if (roots_[0] == nullptr) return;  // moved from
  while (n_nodes_ > 0) {
    for (const std::unique_ptr<Node>& root : roots_) {
      Node* leaf = root.get();
      while (!leaf->children.empty()) leaf = leaf->children.back().get();
      if (leaf != root.get()) forget(leaf);
    }
  }
}

Result<PrefixCache> PrefixCache::create(kv::PagePool& pool, std::uint64_t own_bytes,
                                        std::uint32_t checkpoints) {
  PrefixCache cache(pool, own_bytes);
  CISTERN_TRY(cache.checkpoints_, sys::Buffer::allocate(own_bytes * checkpoints));
  cache.saved_.resize(own_bytes > 0 ? checkpoints : 0);
  return cache;
}

std::span<std::byte> PrefixCache::slot(std::uint32_t i) {
  return checkpoints_.bytes().subspan(i * own_bytes_, own_bytes_);
}

PrefixCache::Match PrefixCache::match(std::span<const text::TokenId> tokens, bool long_rope) const {
  const auto most = static_cast<std::uint32_t>(tokens.size()) - 1;
  Node* node = roots_[long_rope ? 1 : 0].get();
  Match found{.node = node};
  Node* partial = nullptr;  // a child that begins like the rest
  for (std::uint32_t common = 0;;) {
    const auto rest = tokens.subspan(node->end);
    common = 0;
    for (const std::unique_ptr<Node>& child : node->children) {
      const auto [theirs, ours] = std::ranges::mismatch(child->tokens, rest);
      const auto n = static_cast<std::uint32_t>(theirs - child->tokens.begin());
      if (n <= common) continue;
      common = n;
      partial = child.get();
    }
    if (common == 0) {
      partial = nullptr;
    } else if (common == partial->tokens.size()) {
      if (own_bytes_ > 0 && partial->checkpoint != kNoCheckpoint && partial->end <= most) {
        found.length = partial->end;
        found.last = partial;
      }
      if (common == kv::kPageTokens) {
        node = partial;
        continue;
      }
    }
    if (own_bytes_ == 0) {
      found.length = std::min(node->end + common, most);
      found.last = common > 0 ? partial : node;
    }
    break;
  }
  // The page of the last token of use, and the pages before it.
  while (found.last != nullptr && found.last->parent != nullptr && found.last->parent->end >= found.length)
    found.last = found.last->parent;
  if (found.length == 0) found.last = nullptr;
  found.node = node;
  return found;
}

std::uint32_t PrefixCache::find(std::span<const text::TokenId> tokens, bool long_rope) const {
  return match(tokens, long_rope).length;
}

PrefixCache::Node* PrefixCache::begin(kv::Cache& cache, std::span<const text::TokenId> tokens,
                                      bool long_rope) {
  const Match found = match(tokens, long_rope);
  if (found.last == nullptr) return root(long_rope);
  touch(found.last);
  std::vector<kv::PageId> pages(kv::pages_of(found.length));
  for (const Node* node = found.last; node->parent != nullptr; node = node->parent) {
    pages[(node->end - 1) / kv::kPageTokens] = node->page;
    pool_->add_reference(node->page);
  }
  Node* shared = found.last;
  std::uint32_t length = found.length;
  if (length % kv::kPageTokens != 0) {  // rows will be written after those of use: in a page of its own
    shared = shared->parent;
    const kv::PageId from = pages.back();
    const std::optional<kv::PageId> own = make_room(1) ? pool_->take() : std::nullopt;
    if (own) {
      pool_->copy(from, *own);
      pages.back() = *own;
    } else {
      pages.pop_back();
      length = shared->end;
    }
    pool_->drop(from);
    if (!own && own_bytes_ > 0) {  // it cannot begin before the checkpoint
      for (const kv::PageId page : pages) pool_->drop(page);
      return root(long_rope);
    }
  }
  std::span<const std::byte> own;
  if (own_bytes_ > 0) {
    own = slot(found.last->checkpoint);
    saved_[found.last->checkpoint].used = ++clock_;
  }
  cache.begin(pages, length, own);
  return shared;
}

PrefixCache::Node* PrefixCache::add(Node* parent, std::span<const text::TokenId> tokens, kv::PageId page) {
  CISTERN_CHECK(!tokens.empty() && tokens.size() <= kv::kPageTokens && parent->end % kv::kPageTokens == 0);
  for (const std::unique_ptr<Node>& child : parent->children) {
    if (!std::ranges::equal(child->tokens, tokens)) continue;
    touch(child.get());
    return child.get();
  }
  auto node = std::make_unique<Node>();
  node->parent = parent;
  node->tokens.assign(tokens.begin(), tokens.end());
  node->page = page;
  node->end = parent->end + static_cast<std::uint32_t>(tokens.size());
  pool_->add_reference(page);
  ++n_nodes_;
  parent->children.push_back(std::move(node));
  touch(parent->children.back().get());
  return parent->children.back().get();
}

kv::PageId PrefixCache::page_of(const Node& node) {
  return node.page;
}

bool PrefixCache::save(Node* node, const kv::Cache& cache, Node* instead) {
  if (saved_.empty() || node->checkpoint != kNoCheckpoint) return false;
  CISTERN_CHECK(node->end == cache.length());
  auto place = std::ranges::min_element(saved_, {}, &Checkpoint::used);
  if (instead != nullptr && instead != node && instead->checkpoint != kNoCheckpoint)
    place = saved_.begin() + instead->checkpoint;
  if (place->owner != nullptr) place->owner->checkpoint = kNoCheckpoint;
  const auto i = static_cast<std::uint32_t>(place - saved_.begin());
  *place = {.owner = node, .used = ++clock_};
  node->checkpoint = i;
  cache.save_own(slot(i));
  return true;
}

// A page is of no use without those before it, so those are as recent.
void PrefixCache::touch(Node* node) {
  ++clock_;
  for (; node != nullptr; node = node->parent) node->used = clock_;
}

void PrefixCache::forget(Node* leaf) {
  CISTERN_CHECK(leaf->children.empty());
  if (leaf->checkpoint != kNoCheckpoint) saved_[leaf->checkpoint] = {};
  pool_->drop(leaf->page);
  --n_nodes_;
  std::erase_if(leaf->parent->children, [&](const auto& child) { return child.get() == leaf; });
}

namespace {

template <class Node, class Visit>
void for_each_node(Node& node, const Visit& visit) {
  std::vector<Node*> open{&node};
  while (!open.empty()) {
    Node* next = open.back();
    open.pop_back();
    visit(*next);
    for (const auto& child : next->children) open.push_back(child.get());
  }
}

}  // namespace

bool PrefixCache::make_room(std::uint32_t wanted) {
  while (pool_->free_pages() < wanted) {
    Node* oldest = nullptr;
    for (const std::unique_ptr<Node>& root : roots_) {
      for_each_node(*root, [&](Node& node) {
        const bool can_go =
            node.parent != nullptr && node.children.empty() && pool_->references(node.page) == 1;
        if (can_go && (oldest == nullptr || node.used < oldest->used)) oldest = &node;
      });
    }
    if (oldest == nullptr) return false;
    forget(oldest);
  }
  return true;
}

std::uint32_t PrefixCache::unused_pages() const {
  std::uint32_t n = 0;
  for (const std::unique_ptr<Node>& root : roots_) {
    for_each_node(*root,
                  [&](Node& node) { n += node.parent != nullptr && pool_->references(node.page) == 1; });
  }
  return n;
}

}  // namespace cistern::engine
