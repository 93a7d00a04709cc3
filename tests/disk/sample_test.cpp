// What a look into some of the changed files tells before anything makes room for a copy.

#include <catch2/catch.hpp>
#include <filesystem>

#include "disk/copy_fixture.h"
#include "disk/survey.h"
#include "tree/local_source.h"

namespace rota::test {

namespace {

/// A copy of `files` files of text, and a look at the source after it was changed.
struct Sampled {
  explicit Sampled(int files) : count(files) {
    for (int i = 0; i < count; ++i) write(file(i), std::string(5'000, 'a') + std::to_string(i));
    write(temp / "disk/.keep", "");
    place.emplace(temp / "disk");
    place->copy(temp / "source", 0);
    wait_for_another_tick();
  }
  std::string file(int i) { return temp / "source" + "/f" + std::to_string(i); }
  disk::Survey look() {
    tree::LocalSource source(temp / "source", {}, place->warnings);
    disk::Survey survey = disk::survey(source, place->fd(), "web", place->progress, {});
    disk::read_sample(source, place->fd(), "web", survey.sample, {});
    return survey;
  }
  int count;
  TempDir temp{fast_directory()};
  std::optional<CopyPlace> place;
};

}  // namespace

TEST_CASE("files that were only touched are no changed ones", "[disk][sample]") {
  Sampled tree(50);
  for (int i = 0; i < 50; ++i) {
    std::filesystem::permissions(tree.file(i), std::filesystem::perms::owner_read);
  }
  const disk::Survey survey = tree.look();
  CHECK(survey.changes.changed.count == 50);
  CHECK(survey.sample.looked_at == 50);
  CHECK(disk::estimate(survey).changed.count == 0);
  CHECK(disk::estimate(survey).touched.count == 50);
}

TEST_CASE("files that were encrypted in their places are found by the sample", "[disk][sample]") {
  Sampled tree(50);
  for (int i = 0; i < 30; ++i) write(tree.file(i), noise(5'001, static_cast<unsigned>(i)));
  const disk::ChangeSummary changes = disk::estimate(tree.look());
  CHECK(changes.changed.count == 30);
  CHECK(changes.plain_before == 30);
  CHECK(changes.became_noise.count == 30);
  CHECK(changes.became_noise.examples.size() == 30);
}

TEST_CASE("of many changed files some stand for all", "[disk][sample]") {
  Sampled tree(600);
  for (int i = 0; i < 600; ++i) {
    if (i % 2 == 0) {
      write(tree.file(i), noise(5'003, static_cast<unsigned>(i)));
    } else {
      std::filesystem::permissions(tree.file(i), std::filesystem::perms::owner_read);
    }
  }
  const disk::Survey survey = tree.look();
  CHECK(survey.sample.of == 600);
  CHECK(survey.sample.looked_at == disk::Sample::kMost);
  const disk::ChangeSummary changes = disk::estimate(survey);
  // 300, give or take six standard deviations.
  CHECK(changes.changed.count > 190);
  CHECK(changes.changed.count < 410);
  CHECK(changes.changed.count + changes.touched.count == 600);
  CHECK(changes.became_noise.count == changes.changed.count);
}

TEST_CASE("without a look into them all files that seem changed count as changed",
          "[disk][sample]") {
  Sampled tree(20);
  write(tree.file(0), "b");
  disk::Survey survey = tree.look();
  survey.sample.looked_at = 0;
  CHECK(disk::estimate(survey).changed.count == 1);
}

}  // namespace rota::test
