#include <unistd.h>

#include <utility>

#include "base/child.h"
#include "job/watch.h"

namespace rota::job {

namespace {

class ProcessJobs final : public DiskJobs {
 public:
  explicit ProcessJobs(std::vector<std::string> options) : options_(std::move(options)) {}

  void start(const std::string& disk, const std::string& node) override {
    // This very program, also when its file was replaced meanwhile.
    std::vector<std::string> argv{"/proc/self/exe", "disk", "attach", "--started-by=watch"};
    argv.insert(argv.end(), options_.begin(), options_.end());
    argv.push_back(node);
    jobs_[disk] = std::make_unique<base::Child>(argv);
  }

  std::vector<End> ended() override {
    std::vector<End> ends;
    for (const auto& [disk, child] : jobs_) {
      if (const auto status = child->status()) ends.push_back({disk, *status});
    }
    for (const End& end : ends) jobs_.erase(end.disk);
    return ends;
  }

  void stop(const std::string& disk) override {
    const auto job = jobs_.find(disk);
    if (job != jobs_.end()) job->second->stop();
  }

  std::vector<End> finish() override {
    for (const auto& [disk, child] : jobs_) child->stop();
    for (const auto& [disk, child] : jobs_) child->wait();
    return ended();
  }

 private:
  const std::vector<std::string> options_;
  std::map<std::string, std::unique_ptr<base::Child>> jobs_;
};

}  // namespace

std::unique_ptr<DiskJobs> process_jobs(std::vector<std::string> attach_options) {
  return std::make_unique<ProcessJobs>(std::move(attach_options));
}

}  // namespace rota::job
