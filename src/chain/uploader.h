#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "base/channel.h"
#include "base/pipeline.h"
#include "chain/record.h"
#include "chain/resume_log.h"
#include "store/store.h"

namespace rota::chain {

/// Encrypts, hashes and puts the objects of one run on threads of their own, and keeps their rows
/// for the run record.
///
/// There are as many threads as the store has connections. Memory: one object for each, and as much
/// again while it is encrypted: the sender waits until a thread is free for its next one.
class Uploader {
 public:
  /// key: null for a chain in the clear. log: is told of each volume before it is put. room: what
  /// the run's record has for its objects.
  Uploader(store::Store& store, std::string chain, std::string run, const RunKey* key,
           ResumeLog& log, RecordRoom& room);
  /// Objects that are in the store already, of a run that is resumed. Before start().
  void add_rows(const std::map<std::uint32_t, ObjectRow>& rows);

  /// Starts the threads in a pipeline, which must end before this object does.
  void start(base::Pipeline& pipeline);
  void put(ObjectType type, std::uint32_t number, base::Bytes bytes);
  /// No more objects will come; the threads end when all are put.
  void close() { queue_.close(); }

  /// After the pipeline has joined: the rows, volumes first, by number.
  std::vector<ObjectRow> take_rows();
  std::uint64_t stored() const { return stored_; }

 private:
  struct Object {
    ObjectType type;
    std::uint32_t number;
    base::Bytes bytes;
  };
  void work();

  store::Store& store_;
  std::string chain_;
  std::string run_;
  const RunKey* key_;
  ResumeLog& log_;
  RecordRoom& room_;
  unsigned threads_;
  base::Channel<Object> queue_{threads_};
  base::Channel<int> free_{threads_};
  std::mutex mutex_;
  std::vector<ObjectRow> rows_;
  std::atomic<std::uint64_t> stored_{0};
};

}  // namespace rota::chain
