#include "chain/uploader.h"

#include <algorithm>
#include <tuple>

#include "base/error.h"

namespace rota::chain {

Uploader::Uploader(store::Store& store, std::string chain, std::string run)
    : store_(store), chain_(std::move(chain)), run_(std::move(run)) {}

void Uploader::start(base::Pipeline& pipeline) {
  pipeline.on_failure([this] {
    queue_.abandon();
    free_.abandon();
  });
  for (unsigned i = 0; i < kThreads; ++i) {
    free_.send(0);
    pipeline.add([this] { work(); });
  }
}

void Uploader::put(ObjectType type, std::uint32_t number, base::Bytes bytes) {
  if (free_.receive()) queue_.send({type, number, std::move(bytes)});
}

void Uploader::work() {
  while (auto object = queue_.receive()) {
    ObjectRow row;
    row.type = object->type;
    row.number = object->number;
    row.size = object->bytes.size();
    row.sha256 = base::sha256(object->bytes);
    row.store_hash = store::object_hash(store_.hash_kind(), object->bytes);
    store_.put(object->type == ObjectType::volume ? volume_name(chain_, run_, object->number)
                                                  : index_name(chain_, run_, object->number),
               object->bytes);
    stored_ += row.size;
    {
      const std::lock_guard lock(mutex_);
      rows_.push_back(std::move(row));
    }
    object.reset();
    free_.send(0);
  }
}

std::vector<ObjectRow> Uploader::take_rows() {
  std::ranges::sort(rows_, [](const ObjectRow& a, const ObjectRow& b) {
    return std::tuple(a.type != ObjectType::volume, a.number) <
           std::tuple(b.type != ObjectType::volume, b.number);
  });
  return std::move(rows_);
}

}  // namespace rota::chain
