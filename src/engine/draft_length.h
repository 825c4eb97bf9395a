// How many guessed tokens are worth trying: from what a step of one token and each token more of it have
// taken lately, and from how often guesses were right. 0 where guessing would be slower than not guessing.
// Used by Generation; a plain value.
#pragma once

#include <cstdint>

namespace cistern::engine {

class DraftLength {
 public:
  // The number of guesses, up to `most`, with the most tokens per second.
  std::uint32_t best(std::uint32_t most) const;
  // The same for guesses that take time to make: as many as will be checked. Now and then it is another
  // number than the best, because what steps take and how often guesses are right changes: none, or where the
  // best is none one, which is made for a hint only unless most are right.
  struct Count {
    std::uint32_t made = 0;
    std::uint32_t checked = 0;
  };
  Count next(std::uint32_t most);

  // A step of 1 + `drafted` tokens took so long, and the first `accepted` guesses were right.
  void add_step(std::uint32_t drafted, std::uint32_t accepted, double seconds);
  // A first guess that was not tried turned out right or wrong.
  void add_hint(bool right);

 private:
  double tokens(std::uint32_t drafted) const;  // expected of a step
  double seconds(std::uint32_t drafted) const;

  double right_ = 0.7;       // chance that a guess is right, all before it being right
  double one_s_ = 0;         // step of one token; 0: not known yet
  double more_share_ = 0.2;  // of that, what each further token adds
  std::uint32_t n_asked_ = 0;
};

}  // namespace cistern::engine
