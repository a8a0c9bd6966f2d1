// A Databricks workspace in the network of the library, closed to the internet, and the storage account that its Unity Catalog
// reads, with the identity that reads it. The bundle in deploy/databricks defines what is in the workspace.
param name string
param location string
param managedGroupName string
param networkId string
param hostSubnet string
param containerSubnet string
param subnetId string
param zoneId string
param blobZoneId string

@description('Name of the storage account of the tables.')
param tablesName string

@description('Identity that copies tables to their account.')
param writerId string

var roles = loadJsonContent('../roles.json')

@description('Containers that Unity Catalog reads.')
var containers = [
  'cepstra'
  'soundtracks'
  'artworks'
]

resource workspace 'Microsoft.Databricks/workspaces@2024-05-01' = {
  name: name
  location: location
  sku: {
    name: 'premium'
  }
  properties: {
    managedResourceGroupId: subscriptionResourceId('Microsoft.Resources/resourceGroups', managedGroupName)
    publicNetworkAccess: 'Disabled'
    requiredNsgRules: 'NoAzureDatabricksRules'
    parameters: {
      enableNoPublicIp: {
        value: true
      }
      customVirtualNetworkId: {
        value: networkId
      }
      customPublicSubnetName: {
        value: hostSubnet
      }
      customPrivateSubnetName: {
        value: containerSubnet
      }
    }
  }
}

// The storage credential of Unity Catalog names it.
resource connector 'Microsoft.Databricks/accessConnectors@2024-05-01' = {
  name: '${name}-connector'
  location: location
  identity: {
    type: 'SystemAssigned'
  }
}

// Unity Catalog reads only accounts with a hierarchical namespace. Such an account cannot keep previous versions of blobs, which
// the account of the library needs. So the tables are a copy in an account of their own. A lost one is copied again.
resource tables 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: tablesName
  location: location
  kind: 'StorageV2'
  sku: {
    name: 'Standard_LRS'
  }
  properties: {
    isHnsEnabled: true
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: 'Disabled'
    networkAcls: {
      defaultAction: 'Deny'
      bypass: 'AzureServices'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: tables
  name: 'default'
}

resource readable 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = [for container in containers: {
  parent: blobs
  name: container
  properties: {
    publicAccess: 'None'
  }
}]

resource reads 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(tables.id, connector.id, roles.storageBlobDataReader)
  scope: tables
  properties: {
    principalId: connector.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataReader)
  }
}

resource copies 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(tables.id, writerId, roles.storageBlobDataContributor)
  scope: tables
  properties: {
    principalId: writerId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataContributor)
  }
}

resource filesZone 'Microsoft.Network/privateDnsZones@2020-06-01' = {
  name: 'privatelink.dfs.${environment().suffixes.storage}'
  location: 'global'
}

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2020-06-01' = {
  parent: filesZone
  name: name
  location: 'global'
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      id: networkId
    }
  }
}

// Unity Catalog reads by the first, and the copy is written by the second.
module filesEndpoint 'endpoint.bicep' = {
  name: 'tables-files-endpoint'
  params: {
    name: 'pe-${tablesName}-files'
    location: location
    serviceId: tables.id
    part: 'dfs'
    subnetId: subnetId
    zoneId: filesZone.id
  }
}

module blobsEndpoint 'endpoint.bicep' = {
  name: 'tables-blobs-endpoint'
  params: {
    name: 'pe-${tablesName}-blobs'
    location: location
    serviceId: tables.id
    part: 'blob'
    subnetId: subnetId
    zoneId: blobZoneId
  }
}

module endpoint 'endpoint.bicep' = {
  name: 'databricks-endpoint'
  params: {
    name: 'pe-${name}'
    location: location
    serviceId: workspace.id
    part: 'databricks_ui_api'
    subnetId: subnetId
    zoneId: zoneId
  }
}

// Entra sends people here after they have signed in. One endpoint serves all workspaces of a region.
module signInEndpoint 'endpoint.bicep' = {
  name: 'databricks-sign-in-endpoint'
  params: {
    name: 'pe-${name}-sign-in'
    location: location
    serviceId: workspace.id
    part: 'browser_authentication'
    subnetId: subnetId
    zoneId: zoneId
  }
  dependsOn: [
    endpoint
  ]
}

output connectorId string = connector.id
output tablesAccount string = tables.name
