// The roofline of a machine and where the model's steps lie under it: arithmetic per byte read against
// arithmetic per second, both logarithmic. Reading bounds what lies under the slope, arithmetic the rest.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "tools/html.h"
#include "tools/log_axis.h"
#include "tools/number_text.h"
#include "tools/plan_page_parts.h"

namespace cistern::tools {
namespace {

constexpr double kHeight = 300;  // of the plot, pixels
constexpr double kLine = 17;     // between labels, pixels
constexpr std::size_t kMostLabel = 26;

// In a square from -6 to 6; told apart by shape, as they may lie on each other.
constexpr std::array<const char*, 4> kShapes = {
    "<circle r=\"5\"></circle>", "<rect x=\"-4.5\" y=\"-4.5\" width=\"9\" height=\"9\"></rect>",
    "<path d=\"M0 -6L6 5H-6z\"></path>", "<path d=\"M0 -6.5L6.5 0L0 6.5L-6.5 0z\"></path>"};

// A point that can be drawn.
struct Drawn {
  const DocPoint* point = nullptr;
  const char* shape = "";
  double x = 0;  // 0 to 1
  double y = 0;  // pixels
  double roof_y = 0;
  double label_y = 0;
  bool above = false;  // the label is above the roof
};

double intensity(const DocPoint& point) {
  return point.bytes && point.macs && *point.bytes > 0 ? *point.macs / *point.bytes : 0;
}

double macs_per_s(const DocPoint& point) {
  return point.macs && point.tok_s ? *point.macs * *point.tok_s : 0;
}

bool drawable(const DocPoint& point) {
  return intensity(point) > 0 && macs_per_s(point) > 0;
}

// Tokens per second that the roof allows.
DocNumber roof_tok_s(const DocRow& row, const DocPoint& point) {
  DocNumber roof;
  if (point.bytes && *point.bytes > 0 && row.read_bytes_per_s) roof = *row.read_bytes_per_s / *point.bytes;
  if (point.macs && *point.macs > 0 && row.macs_per_s)
    roof = std::min(roof.value_or(1e300), *row.macs_per_s / *point.macs);
  return roof;
}

class Plot {
 public:
  explicit Plot(const DocRow& row)
      : row_(row),
        read_(row.read_bytes_per_s.value_or(0)),
        macs_(row.macs_per_s.value_or(0)),
        x_(x_values(), AxisEnds::kDecades),
        y_(y_values(), AxisEnds::kDecades) {
    std::size_t index = 0;
    for (const DocPoint& point : row_.points) {
      const char* shape = kShapes[index++ % kShapes.size()];
      if (!drawable(point)) continue;
      const double x = x_.at(intensity(point));
      drawn_.push_back({.point = &point,
                        .shape = shape,
                        .x = x,
                        .y = pixel(macs_per_s(point)),
                        .roof_y = pixel(roof_at(intensity(point))),
                        .above = labelled_above(point)});
    }
    place_labels();
  }

  bool empty() const { return drawn_.empty() || read_ <= 0 || macs_ <= 0; }

  std::string svg() const {
    std::string svg = fmt::format(
        "<div class=\"plot\"><svg role=\"img\" width=\"100%\" height=\"{}\" aria-labelledby=\"rt rd\">\n"
        "<title id=\"rt\">Roofline of {}</title>\n<desc id=\"rd\">The roof rises with {} to {} "
        "multiply-accumulates per byte and is flat at {} from there.",
        kHeight, escape_html(row_.hardware), si_text(read_, "B/s"), number_text(macs_ / read_),
        si_text(macs_, "MAC/s"));
    for (const Drawn& d : drawn_) {
      svg += fmt::format(" {}: {} per byte, {}.", escape_html(d.point->what),
                         number_text(intensity(*d.point)), si_text(macs_per_s(*d.point), "MAC/s"));
    }
    return svg + "</desc>\n" + grid() + roof() + points() + "</svg></div>\n";
  }

 private:
  double ridge() const { return macs_ / read_; }
  double roof_at(double intensity) const { return std::min(intensity * read_, macs_); }
  double pixel(double macs_per_s) const { return kHeight * (1 - y_.at(macs_per_s)); }

  bool labelled_above(const DocPoint& point) const { return x_.at(intensity(point)) > 0.4; }

  std::vector<double> x_values() const {
    std::vector<double> values;
    for (const DocPoint& point : row_.points) {
      if (drawable(point)) values.push_back(intensity(point));
    }
    // Both parts of the roof are to be seen.
    if (read_ > 0) values.insert(values.end(), {ridge(), ridge() * 2});
    return values;
  }
  std::vector<double> y_values() const {
    std::vector<double> values = {macs_, roof_at(x_.least())};
    double room = macs_;
    for (const DocPoint& point : row_.points) {
      if (!drawable(point)) continue;
      values.push_back(macs_per_s(point));
      // Room for its label.
      if (labelled_above(point)) {
        values.push_back(room = std::min(room * 4, macs_ * 100));
      } else {
        values.push_back(macs_per_s(point) / 10);
      }
    }
    return values;
  }

  // On the left there is room below the points, on the right above the roof, which only falls to the left.
  void place_labels() {
    std::vector<Drawn*> above;
    std::vector<Drawn*> under;
    for (Drawn& d : drawn_) (d.above ? above : under).push_back(&d);
    std::ranges::sort(above, {}, &Drawn::x);
    double highest = kHeight;
    for (Drawn* d : above) {
      d->label_y = std::min(highest, d->roof_y - 14);
      highest = d->label_y - kLine;
    }
    // Down from the highest point, a line apart, and up again where the plot ends.
    std::ranges::sort(under, {}, &Drawn::y);
    double next = 14;
    for (Drawn* d : under) {
      d->label_y = std::max(next, d->y + 24);
      next = d->label_y + kLine;
    }
    double most = kHeight - 8;
    std::ranges::reverse(under);
    for (Drawn* d : under) {
      d->label_y = std::min(d->label_y, most);
      most = d->label_y - kLine;
    }
  }

  std::string grid() const {
    std::string svg;
    for (const double tick : x_.ticks(6)) {
      svg += fmt::format(
          "<line class=\"grid\" x1=\"{0:.3f}%\" x2=\"{0:.3f}%\" y1=\"0\" y2=\"{1}\"></line><text "
          "class=\"tick\" "
          "x=\"{0:.3f}%\" y=\"{2}\" text-anchor=\"middle\">{3}</text>\n",
          100 * x_.at(tick), kHeight, kHeight + 18, power_text(tick));
    }
    for (const double tick : y_.ticks(6)) {
      svg += fmt::format(
          "<line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"{0:.1f}\" y2=\"{0:.1f}\"></line><text "
          "class=\"tick\" "
          "x=\"-8\" y=\"{1:.1f}\" text-anchor=\"end\">{2}</text>\n",
          pixel(tick), pixel(tick) + 4, power_text(tick));
    }
    return svg;
  }

  std::string roof() const {
    std::string svg = fmt::format(
        "<line class=\"roof\" x1=\"{:.3f}%\" y1=\"{:.1f}\" x2=\"{:.3f}%\" y2=\"{:.1f}\"></line>\n", 0.0,
        pixel(roof_at(x_.least())), 100 * x_.at(ridge()), pixel(macs_));
    svg += fmt::format(
        "<line class=\"roof\" x1=\"{0:.3f}%\" y1=\"{1:.1f}\" x2=\"100%\" y2=\"{1:.1f}\"></line>\n"
        "<line class=\"ridge\" x1=\"{0:.3f}%\" x2=\"{0:.3f}%\" y1=\"{1:.1f}\" y2=\"{2}\"></line>\n",
        100 * x_.at(ridge()), pixel(macs_), kHeight);
    return svg;
  }

  std::string points() const {
    std::string svg;
    for (const Drawn& d : drawn_) {
      svg += fmt::format(
          "<line class=\"gap\" x1=\"{0:.3f}%\" x2=\"{0:.3f}%\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"></line>\n",
          100 * d.x, d.roof_y, d.y);
    }
    for (const Drawn& d : drawn_) {
      const std::string name = short_name(d.point->what);
      const double down = d.label_y - d.y;
      const std::string leader =
          d.above ? fmt::format("M0 0V{:.1f}", down + 6) : fmt::format("M0 0L12 {:.1f}", down);
      svg += fmt::format(
          "<svg class=\"point\" x=\"{:.3f}%\" y=\"{:.1f}\"><title>{}: {} tok/s</title><path class=\"leader\" "
          "d=\"{}\"></path>{}<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text></svg>\n",
          100 * d.x, d.y, escape_html(d.point->what), number_text(*d.point->tok_s), leader, d.shape,
          d.above ? 8 : 16, down + (d.above ? 0 : 4), d.above ? "end" : "start", escape_html(name));
    }
    return svg;
  }

  static std::string short_name(std::string_view what) {
    std::string name;
    std::size_t letters = 0;
    for (const char c : what) {
      const bool begins = (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
      if (begins && ++letters > kMostLabel) return name + "...";
      name += c;
    }
    return name;
  }

  const DocRow& row_;
  double read_;
  double macs_;
  LogAxis x_;
  LogAxis y_;
  std::vector<Drawn> drawn_;
};

std::string points_table(const DocRow& row) {
  std::string html =
      "<table>\n<thead><tr><th scope=\"col\">Step</th><th scope=\"col\">MAC per byte</th><th "
      "scope=\"col\">tok/s</th><th scope=\"col\">roof, tok/s</th><th scope=\"col\">of the "
      "roof</th></tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < row.points.size(); ++i) {
    const DocPoint& point = row.points[i];
    const DocNumber roof = roof_tok_s(row, point);
    const bool shares = roof && *roof > 0 && point.tok_s;
    html += fmt::format(
        "<tr><th scope=\"row\"><svg class=\"key\" viewBox=\"-7 -7 14 14\" "
        "aria-hidden=\"true\">{}</svg>{}</th>"
        "<td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
        kShapes[i % kShapes.size()], name_html(point.what),
        intensity(point) > 0 ? number_text(intensity(point)) : std::string(kAbsent),
        figure_html(point.tok_s, number_text), figure_html(roof, number_text),
        shares ? percent_text(*point.tok_s / *roof) : std::string(kAbsent));
  }
  return html + "</tbody>\n</table>\n";
}

}  // namespace

std::string roofline_section(const DocRow& row) {
  if (row.points.empty()) return "";
  std::string html = "<section aria-labelledby=\"h-roofline\">\n<h2 id=\"h-roofline\">Roofline</h2>\n";
  const Plot plot(row);
  if (!plot.empty()) {
    html += "<p class=\"axis\">Multiply-accumulates per second</p>\n" + plot.svg();
    html += "<p class=\"axis under\">multiply-accumulates (MAC) per byte read</p>\n";
    html += fmt::format(
        "<p class=\"note\">The slope is what reading allows, {}; the flat part is what arithmetic allows, "
        "{}. "
        "They meet at {} MAC per byte.</p>\n",
        si_text(*row.read_bytes_per_s, "B/s"), si_text(*row.macs_per_s, "MAC/s"),
        number_text(*row.macs_per_s / *row.read_bytes_per_s));
  }
  return html + scroll_box("Roofline in numbers", points_table(row)) + "</section>\n";
}

}  // namespace cistern::tools
