-- SPDX-License-Identifier: GPL-2.0-only
--
-- Wireshark: what vdp_migrate adds to VDP (IEEE 802.1Q clause 41 in clause 43's ECP) and
-- to LLDP, see doc/wire-format: the M- and S-bits by name, the help TLV, the capability
-- TLV. A post-dissector, beside Wireshark's own ECP and LLDP. Put it into the folder that
-- Help, About Wireshark, Folders calls Personal Lua Plugins; or: tshark -X lua_script:FILE

local p = Proto("vdp_migrate", "vdp_migrate")

local OUI = 0x02564d
local modes = { [1] = "Pre-Associate", [2] = "Pre-Associate with RR", [3] = "Associate",
	[4] = "De-Associate" }
local families = { [0] = "none", [1] = "IPv4", [2] = "IPv6" }
local roles = { [1] = "station", [2] = "bridge" }
local formats = { [1] = "IPv4", [2] = "IPv6", [3] = "MAC", [4] = "local", [5] = "UUID" }

local f = {
	mode = ProtoField.uint8("vdp_migrate.mode", "Association", base.DEC, modes),
	status = ProtoField.uint8("vdp_migrate.status", "Status", base.HEX),
	ack = ProtoField.bool("vdp_migrate.status.ack", "Req/Ack: response", 8, nil, 0x40),
	m = ProtoField.bool("vdp_migrate.status.m", "M: migrating to this station", 8, nil, 0x10),
	s = ProtoField.bool("vdp_migrate.status.s", "S: suspended here", 8, nil, 0x20),
	keep = ProtoField.bool("vdp_migrate.status.keep", "KEEP", 8, nil, 0x20),
	hard = ProtoField.bool("vdp_migrate.status.hard", "HARD", 8, nil, 0x10),
	error = ProtoField.uint8("vdp_migrate.status.error", "Error", base.DEC, nil, 0x0f),
	version = ProtoField.uint8("vdp_migrate.version", "Version"),
	dhcp4 = ProtoField.bool("vdp_migrate.help.dhcp4", "DHCPv4 request wanted", 8, nil, 0x01),
	dhcp6 = ProtoField.bool("vdp_migrate.help.dhcp6", "DHCPv6 request wanted", 8, nil, 0x02),
	family = ProtoField.uint8("vdp_migrate.help.family", "Family of giaddr", base.DEC, families),
	giaddr = ProtoField.ipv4("vdp_migrate.help.giaddr", "giaddr"),
	giaddr6 = ProtoField.ipv6("vdp_migrate.help.giaddr6", "giaddr"),
	xid = ProtoField.uint32("vdp_migrate.help.xid", "xid of the first entry", base.HEX),
	format = ProtoField.uint8("vdp_migrate.help.vsi_format", "VSI ID format", base.DEC, formats),
	vsi = ProtoField.guid("vdp_migrate.help.vsi", "VSI ID"),
	entries = ProtoField.uint16("vdp_migrate.help.entries", "Entries"),
	mac = ProtoField.ether("vdp_migrate.help.mac", "MAC address"),
	vlan = ProtoField.uint16("vdp_migrate.help.vlan", "VLAN ID"),
	role = ProtoField.uint8("vdp_migrate.capability.role", "Role", base.DEC, roles),
	draft = ProtoField.bool("vdp_migrate.capability.draft_m", "M-bit in draft 0.2", 8, nil, 0x01),
	help = ProtoField.bool("vdp_migrate.capability.help", "Help requests", 8, nil, 0x02),
	groups = ProtoField.bool("vdp_migrate.capability.groups", "Group query", 8, nil, 0x04),
	query = ProtoField.bool("vdp_migrate.capability.leasequery", "Leasequery", 8, nil, 0x08),
}
p.fields = f
local bad = ProtoExpert.new("vdp_migrate.malformed", "TLV too short", expert.group.MALFORMED,
	expert.severity.ERROR)
p.experts = { bad }

local ethertype = Field.new("eth.type")

-- 802.1Q 41.2.3: S and M stand where KEEP and HARD do in a response.
local function association(tlv, tree, type)
	local status = tlv(2, 1)
	local response = bit.band(status:uint(), 0x40) ~= 0
	local at = tree:add(p, tlv(), modes[type] .. (response and " response" or " request"))

	at:add(f.mode, tlv(0, 1), type)
	local bits = at:add(f.status, status)
	bits:add(f.ack, status)
	if response then
		bits:add(f.keep, status)
		bits:add(f.hard, status)
		bits:add(f.error, status)
	else
		bits:add(f.s, status)
		bits:add(f.m, status)
	end
end

local function help(value, tree)
	local at = tree:add(p, value, "Help request")
	local families_len = { [0] = 0, [1] = 4, [2] = 16 }
	local len = value:len() >= 7 and families_len[value(6, 1):uint()]

	if not len or value:len() < 7 + len + 23 then
		at:add_proto_expert_info(bad)
		return
	end
	at:add(f.version, value(4, 1))
	at:add(f.dhcp4, value(5, 1))
	at:add(f.dhcp6, value(5, 1))
	at:add(f.family, value(6, 1))
	if len == 4 then
		at:add(f.giaddr, value(7, 4))
	elseif len == 16 then
		at:add(f.giaddr6, value(7, 16))
	end
	local rest = value(7 + len)
	at:add(f.xid, rest(0, 4))
	at:add(f.format, rest(4, 1))
	at:add(f.vsi, rest(5, 16))
	local n = rest(21, 2):uint()
	local list = at:add(f.entries, rest(21, 2))
	if rest:len() < 23 + 8 * n then
		at:add_proto_expert_info(bad)
		return
	end
	for i = 0, n - 1 do
		list:add(f.mac, rest(23 + 8 * i, 6))
		list:add(f.vlan, rest(29 + 8 * i, 2))
	end
end

local function capability(value, tree)
	local at = tree:add(p, value, "Capability")

	if value:len() < 7 then
		at:add_proto_expert_info(bad)
		return
	end
	at:add(f.version, value(4, 1))
	at:add(f.role, value(5, 1))
	at:add(f.draft, value(6, 1))
	at:add(f.help, value(6, 1))
	at:add(f.groups, value(6, 1))
	at:add(f.query, value(6, 1))
end

-- TLVs of VDP and LLDP have one header: type (7 bits), length (9 bits).
local function walk(tvb, at, on)
	while at + 2 <= tvb:len() do
		local head = tvb(at, 2):uint()
		local type, len = bit.rshift(head, 9), bit.band(head, 0x1ff)

		if type == 0 or at + 2 + len > tvb:len() then
			return
		end
		on(type, tvb(at, 2 + len))
		at = at + 2 + len
	end
end

local function ours(tlv, subtype)
	return tlv:len() >= 6 and tlv(2, 3):uint() == OUI and tlv(5, 1):uint() == subtype
end

function p.dissector(tvb, pinfo, tree)
	local type = ethertype()

	if not type or tvb:len() < 20 then
		return
	end
	if type.value == 0x88cc then
		walk(tvb, 14, function(kind, tlv)
			if kind == 127 and ours(tlv, 1) then
				capability(tlv(2), tree)
			end
		end)
	elseif type.value == 0x8940 and tvb(14, 1):uint() == 0x10 then
		-- ECP: version 1, request; subtype 1 is VDP (802.1Q 43.3.3).
		if tvb(15, 1):uint() ~= 1 then
			return
		end
		walk(tvb, 18, function(kind, tlv)
			if modes[kind] and tlv:len() > 3 then
				association(tlv, tree, kind)
			elseif kind == 127 and ours(tlv, 2) then
				help(tlv(2), tree)
			end
		end)
	end
end

register_postdissector(p)
