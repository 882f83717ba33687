/** Every request, for `Netlink.batch`: each only builds a message, and does nothing. */
export { addAddress, deleteAddress } from './address.ts';
export { addBpfFilter, deleteBpfFilter, replaceBpfFilter } from './filter.ts';
export { createLink, createVeth, deleteLink, setLink } from './link-requests.ts';
export { deleteNeighbour, setNeighbour } from './neighbour.ts';
export { addClsact, deleteClsact } from './qdisc.ts';
export { addRoute, deleteRoute, replaceRoute } from './route.ts';
