#include <fmt/core.h>

#include "base/error.h"
#include "base/file.h"
#include "chain/catalog.h"
#include "chain/chain_source.h"
#include "disk/copy_names.h"
#include "job/canary.h"
#include "job/disk_copy.h"
#include "job/disk_restore.h"
#include "job/facts.h"
#include "job/mounts.h"
#include "job/source.h"

namespace rota::job {

namespace {

class LocalCopySource final : public CopySource {
 public:
  LocalCopySource(const profile::Places& places, const std::string& name,
                  const Surroundings& around)
      : places_(places),
        around_(around),
        profile_(profile::load_profile(places, name)),
        time_(around.clock.now()) {}

  const std::string& server() const override { return profile_.name; }
  base::Instant time() const override { return time_; }
  bool renew() override {
    time_ = around_.clock.now();
    return true;
  }
  std::string description() const override { return profile_.source; }
  std::unique_ptr<tree::Source> open() override {
    try {
      return std::make_unique<tree::LocalSource>(
          profile_.source, selection(profile_, places_, around_.warnings), around_.warnings);
    } catch (const base::FileError& error) {
      // Of the server, not of the disk: see AttachJob::copy().
      throw base::Error(error.kind(), error.what());
    }
  }
  std::optional<base::LockFile> prepare(const std::function<void()>& waits) override {
    if (profile_.pre.empty() && profile_.post.empty()) return std::nullopt;
    const base::LockWait wait = patience(around_, waits);
    std::optional<base::LockFile> lock = lock_profile(places_, profile_.name, &wait);
    run_pre(profile_, around_, "nothing was copied");
    return lock;
  }
  void finished() override {
    run_post(profile_, around_, "the copy is written, but what follows it failed");
  }
  void abandoned() override { run_post_after_failure(profile_, around_); }
  std::optional<std::vector<std::string>> mounts() const override {
    return data_mounts(profile_.source);
  }
  CanaryFaults canary_faults() const override { return job::canary_faults(places_, profile_); }
  void remember() const override {
    remember_mounts(places_, profile_.name, MountMemory::copy, data_mounts(profile_.source));
    remember_canaries(places_, profile_);
  }
  std::string facts() const override { return system_facts(around_.processes); }

 private:
  const profile::Places& places_;
  const Surroundings around_;
  profile::Profile profile_;
  base::Instant time_;
};

class ChainCopySource final : public CopySource {
 public:
  ChainCopySource(const profile::Places& places, const std::string& name,
                  const Surroundings& around)
      : server_(places, name, around.stop),
        catalog_(server_.store(), &server_.state(),
                 server_.has_keys() ? &server_.keys() : nullptr) {
    const chain::RunInfo* newest = catalog_.newest();
    if (newest == nullptr) {
      throw base::Error(base::ErrorKind::not_found,
                        fmt::format("the store {} holds no run of the profile {} that could be "
                                    "copied",
                                    server_.store().description(), name));
    }
    record_ = catalog_.record(*newest);
    description_ = fmt::format("run {} of {}", record_.run, server_.store().description());
  }

  const std::string& server() const override { return server_.profile().name; }
  base::Instant time() const override { return record_.time; }
  std::string description() const override { return description_; }
  std::unique_ptr<tree::Source> open() override {
    return std::make_unique<chain::ChainSource>(
        server_.store(), record_, server_.state().index_copies(record_.chain),
        std::vector<std::string>{}, nullptr, server_.has_keys() ? &server_.keys() : nullptr);
  }

 private:
  Server server_;
  chain::Catalog catalog_;
  chain::RunRecord record_;
  std::string description_;
};

class DirectoryCopySource final : public CopySource {
 public:
  DirectoryCopySource(std::string directory, const Surroundings& around)
      : directory_(std::move(directory)),
        around_(around),
        record_(disk::parse_copy_record(
            base::read_file(directory_ + "/" + disk::kRecord, disk::kMaxRecordBytes))) {}

  const std::string& server() const override { return record_.server; }
  base::Instant time() const override { return record_.time; }
  std::string description() const override {
    return fmt::format("copy {} of {}, {}", base::compact(record_.time), record_.server,
                       record_.source);
  }
  std::unique_ptr<tree::Source> open() override {
    return open_copy_directory(directory_, around_.warnings);
  }

 private:
  std::string directory_;
  const Surroundings around_;
  disk::CopyRecord record_;
};

}  // namespace

std::unique_ptr<CopySource> directory_copy_source(const std::string& directory,
                                                  const Surroundings& around) {
  return std::make_unique<DirectoryCopySource>(directory, around);
}

std::unique_ptr<CopySource> local_copy_source(const profile::Places& places,
                                              const std::string& profile,
                                              const Surroundings& around) {
  return std::make_unique<LocalCopySource>(places, profile, around);
}

std::unique_ptr<CopySource> chain_copy_source(const profile::Places& places,
                                              const std::string& profile,
                                              const Surroundings& around) {
  return std::make_unique<ChainCopySource>(places, profile, around);
}

}  // namespace rota::job
