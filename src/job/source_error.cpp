#include "job/source_error.h"

namespace rota::job {

namespace {

class MarkedSource final : public tree::Source {
 public:
  explicit MarkedSource(std::unique_ptr<tree::Source> inner) : inner_(std::move(inner)) {}

  bool next(tree::Entry& entry) override {
    return of_source([&] { return inner_->next(entry); });
  }
  bool complete(tree::Entry& entry) override {
    return of_source([&] { return inner_->complete(entry); });
  }
  std::unique_ptr<tree::Content> open(tree::Entry& entry) override { return inner_->open(entry); }

 private:
  std::unique_ptr<tree::Source> inner_;
};

}  // namespace

std::unique_ptr<tree::Source> marked(std::unique_ptr<tree::Source> source) {
  return std::make_unique<MarkedSource>(std::move(source));
}

}  // namespace rota::job
