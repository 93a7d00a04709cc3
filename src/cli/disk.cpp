#include "cli/disk.h"

namespace rota::cli {

std::vector<MakeCommand> disk_commands() {
  return {make_disk_prepare, make_disk_list,  make_disk_show,   make_disk_attach,
          make_disk_accept,  make_disk_move,  make_disk_verify, make_disk_scrub,
          make_disk_eject,   make_disk_lost,  make_disk_retire, make_disk_hold,
          make_disk_release, make_disk_adopt, make_disk_rekey};
}

}  // namespace rota::cli
