/* SPDX-License-Identifier: GPL-2.0-only */
/* Who announces a VSI, see announced.h: a bit for each member. */
#include "announced.h"

#include "vdp_migrate/protocol.h"
#include "wire/vdp22.h"

static bool see_request(struct vsi *vsi, unsigned member, const struct link_vsi *seen);

bool announced_see(struct vsi *vsi, unsigned member, const struct link_vsi *seen)
{
	switch (seen->what) {
	case LINK_VSI_REQUEST:
	case LINK_VSI_REPLAYED:
		return see_request(vsi, member, seen);
	case LINK_VSI_RESPONSE:
		if (seen->mode == VDP22_DEASSOC || !(seen->status & VDP_STATUS_ACK))
			return true;
		if (seen->status & VDP_STATUS_ERROR)
			return announced_end(vsi, member);
		return seen->mode == VDP22_ASSOC || !vsi->associated;
	case LINK_VSI_TIMEOUT:
		return announced_end(vsi, member);
	}
	return true;
}

bool announced_news(const struct vsi *vsi, unsigned member, uint8_t mode)
{
	bool associated = vsi->associated >> member & 1;

	return !(vsi->announced >> member & 1) || vsi->mode != mode ||
	       associated != (mode == VDP22_ASSOC);
}

bool announced_end(struct vsi *vsi, unsigned member)
{
	vsi->announced &= ~(1u << member);
	vsi->associated &= ~(1u << member);
	return !vsi->announced;
}

void announced_end_all(struct vsi *vsi)
{
	vsi->announced = 0;
	vsi->associated = 0;
}

void announced_replay(struct vsi *vsi)
{
	vsi->replayed = 0;
}

bool announced_replayed(struct vsi *vsi)
{
	vsi->announced &= vsi->replayed;
	vsi->associated &= vsi->replayed;
	return !vsi->announced;
}

static bool see_request(struct vsi *vsi, unsigned member, const struct link_vsi *seen)
{
	if (seen->mode == VDP22_DEASSOC)
		return announced_end(vsi, member);
	vsi->announced |= 1u << member;
	vsi->replayed |= 1u << member;
	if (seen->mode == VDP22_ASSOC) {
		vsi->associated |= 1u << member;
		return true;
	}
	/* A pre-associate where another member has it associated: that one is further on. */
	vsi->associated &= ~(1u << member);
	return !vsi->associated;
}
